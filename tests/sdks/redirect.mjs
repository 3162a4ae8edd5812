// For SDKs that know one host, by TLS: what they send to any goes to the simulators, in the clear.
import http from "node:http";
import https from "node:https";
import http2 from "node:http2";

export function redirectRequests(url) {
  const { hostname, port } = new URL(url);
  const here = { protocol: "http:", agent: undefined, host: hostname, hostname, port };
  https.request = (...given) => {
    const heard = given.find((each) => each instanceof Function);
    const asked = given.filter((each) => each instanceof Object && each !== heard).map(
      (each) => (each instanceof URL ? { path: each.pathname + each.search } : each));
    return http.request(Object.assign({}, ...asked, here), heard);
  };
}

export function redirectHttp2(url) {
  const connect = http2.connect;
  http2.connect = (_, { port, ...options }, ...rest) => connect(url, options, ...rest);
}
