// Try the built site in Node, without a browser. Each line of the output is JSON.
//   node smoke.mjs SITE                              log in to every lesson as alice, and ask for the users
//   node smoke.mjs SITE 02_token_expiry FILE…        check these answers to an exercise
import { resolveObjectURL } from "node:buffer";
import { readFileSync, readdirSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker as Thread } from "node:worker_threads";
import { Checker, Python } from "./python.js";

// What a web worker has and a thread of Node lacks.
const START = `
  const { parentPort } = require("node:worker_threads");
  const { readFile } = require("node:fs/promises");
  globalThis.self = { postMessage: (data) => parentPort.postMessage(data) };
  globalThis.fetch = async (url) => new Response(await readFile(url));
  parentPort.on("message", (data) => self.onmessage({ data }));
`;

globalThis.Worker = class {
  constructor(url) {
    resolveObjectURL(url).text().then((code) => {
      this.thread = new Thread(START + code, { eval: true });
      this.thread.on("message", (data) => this.onmessage?.({ data }));
      this.thread.on("error", (error) => this.onerror?.(error));
    });
  }
  postMessage(data) { this.thread.postMessage(data); }
  terminate() { this.thread?.terminate(); }
};

const print = (result) => console.log(JSON.stringify(result));
const [site, exercise, ...files] = process.argv.slice(2);
const url = pathToFileURL(`${resolve(site)}/worker.js`);

async function tryLessons() {
  const began = performance.now();
  const python = new Python({ onPrinted: console.error, onState: console.error, url });
  await python.ready;
  print({ ready: Math.round(performance.now() - began) }); // milliseconds
  for (const folder of readdirSync(site).filter((name) => /^\d\d_/.test(name))) {
    const start = performance.now();
    const { login, users: [, alice], prefix } = await python.call("settings", folder, "app.py");
    const name = login.name_key === "email" ? alice.email : alice.username;
    const body = JSON.stringify({ [login.name_key]: name, [login.password_key]: alice.password });
    const headers = { "Content-Type": "application/json" };
    const response = await python.call("send", folder, "app.py", "POST", login.path, headers, body);
    const logged = performance.now();
    const token = JSON.parse(response.body).access_token;
    const own = { Authorization: `${prefix} ${token}` };
    const users = await python.call("send", folder, "app.py", "GET", "/users", own, null);
    const times = [logged - start, performance.now() - logged].map(Math.round);
    print({ folder, login: response.status, users: JSON.parse(users.body), times });
  }
}

async function checkAnswers() {
  const checker = new Checker(url);
  for (const file of files) {
    const began = performance.now();
    const result = await checker
      .check(exercise, readFileSync(file, "utf-8"))
      .catch((error) => ({ checks: [], problem: error.message }));
    print({ file, ...result, time: Math.round(performance.now() - began) });
  }
}

await (exercise ? checkAnswers() : tryLessons());
process.exit(); // the worker and the spare still run
