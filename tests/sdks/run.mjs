// node run.mjs MODULES CLIENT: the calls on stdin, as JSON; what became of each on stdout.
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

const [modules, name] = process.argv.slice(2);
const { accounts, calls } = JSON.parse(await text(process.stdin));
const { default: client } = await import(`./clients/${name}.mjs`);
const send = await client(createRequire(`${modules}/node_modules/`), accounts);

const outcomes = [];
for (const call of calls) {
  try {
    outcomes.push({ answer: await send(call) });
  } catch (error) {
    outcomes.push({ error: await told(error) });
  }
}
// On a line of its own, as some log there; and some keep a connection, and so the process.
process.stdout.write(`\n${JSON.stringify(outcomes)}`, () => process.exit(0));

async function told(error) {
  const { name, code, status, statusCode, message, details, data,
    retryAfter } = error;
  const body = error.body instanceof Object ? undefined : error.body;
  const response = error.response;
  const isUnread = response?.text instanceof Function;
  const reply = isUnread ? read(await response.text()) : (response?.body ?? response?.messages);
  return { type: error.constructor.name, name, code, status, statusCode, message, details, data, body,
    reply, retryAfter };
}

function read(words) {
  try {
    return JSON.parse(words);
  } catch {
    return words;
  }
}
