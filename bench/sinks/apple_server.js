// Apple's push service as a client's speed meets it: HTTP/2 by nghttp2, each message taken at once.
// The simulator checks what is sent; written in Python, it takes longer for a call than a sink does.
"use strict";

const http2 = require("node:http2");

const server = http2.createServer({ settings: { maxConcurrentStreams: 1000 } });
server.on("stream", (stream, headers) => {
  stream.resume();
  stream.on("end", () => {
    stream.respond({ ":status": 200, "apns-id": headers["apns-id"] || "" }, { endStream: true });
  });
  stream.on("error", () => {});
});
server.on("sessionError", () => {});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit()).resume();
