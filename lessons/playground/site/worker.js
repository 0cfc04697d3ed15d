// Python in a web worker. python.js sends it the calls, and browser_python.py answers them.
import { sha1 } from "@noble/hashes/legacy.js";
import { pbkdf2 } from "@noble/hashes/pbkdf2.js";
import { scrypt } from "@noble/hashes/scrypt.js";
import { sha224, sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import { loadPyodide } from "pyodide";

const FOLDERS = ["/packages", "/course/lessons", "/course/tests", "/course/lessons/playground/site"];
const HASHES = { sha1, sha224, sha256, sha384, sha512 };
const MAX_PRINTED = 20_000; // characters at a time
const PAUSE = 100; // milliseconds between two messages with what Python prints
const HOUR = 3600 * 1000; // milliseconds

/** Return a Date class whose local time is this many hours ahead of UTC. Python reads the time from Date. */
function dateInZone(RealDate, hours) {
  class ZonedDate extends RealDate {
    constructor(...parts) {
      if (parts.length > 1) super(RealDate.UTC(...parts) - hours * HOUR);
      else super(...parts);
    }
    getTimezoneOffset() { return -60 * hours; }
  }
  for (const part of ["FullYear", "Month", "Date", "Day", "Hours", "Minutes", "Seconds"])
    ZonedDate.prototype[`get${part}`] = function () {
      return new RealDate(this.getTime() + hours * HOUR)[`getUTC${part}`]();
    };
  return ZonedDate;
}

/** Collects what Python prints, because a message for each line could freeze the page. */
class Output {
  text = "";
  sent = 0; // when the page got the latest text

  add(line) {
    this.text = `${this.text}${line}\n`.slice(-MAX_PRINTED);
    if (performance.now() > this.sent + PAUSE) this.send();
  }

  send() {
    if (this.text) self.postMessage({ printed: this.text });
    this.text = "";
    this.sent = performance.now();
  }
}

async function start() {
  const course = fetch(new URL("course.zip", import.meta.url));
  const output = new Output();
  const folder = new URL("pyodide/", import.meta.url);
  const python = await loadPyodide({
    indexURL: self.location ? folder.href : decodeURIComponent(folder.pathname), // Node needs a path
    env: { HOME: "/course", PYTHONPATH: FOLDERS.join(":") },
    stdout: (line) => output.add(line),
    stderr: (line) => output.add(line),
  });
  python.unpackArchive(await (await course).arrayBuffer(), "zip", { extractDir: "/" });
  python.FS.chdir("/course");
  python.pyimport("importlib").invalidate_caches(); // the folders of PYTHONPATH did not exist at the start
  // Python reads element 0 to see whether a signal has arrived. Ours looks at the clock and returns SIGALRM.
  // With a SharedArrayBuffer, the server would have to send headers that static hosts do not send.
  let alarm = Infinity;
  python.setInterruptBuffer({
    get 0() { return performance.now() > alarm ? ((alarm = Infinity), 14) : 0; },
    set 0(_) {},
  });
  const RealDate = Date;
  const browser = python.pyimport("browser_python");
  browser.add_missing_functions({
    scrypt: (password, salt, N, r, p, dkLen) => scrypt(password, salt, { N, r, p, dkLen }),
    pbkdf2: (name, password, salt, c, dkLen) => pbkdf2(HASHES[name], password, salt, { c, dkLen }),
    set_alarm: (seconds) => { alarm = seconds ? performance.now() + seconds * 1000 : Infinity; },
    set_time_zone: (hours) => { globalThis.Date = dateInZone(RealDate, hours); },
  });
  self.postMessage({ ready: true });
  return { course: browser.Course(), output };
}

/** Return the message of an error. For an error in Python, this is the last line of its traceback. */
const explain = (error) => error.message.trim().split("\n").at(-1);

const started = start();
started.catch((error) => self.postMessage({ broken: explain(error) }));

self.onmessage = async ({ data: { id, name, args } }) => {
  try {
    const { course, output } = await started;
    const result = JSON.parse(course.call(name, JSON.stringify(args)));
    output.send();
    self.postMessage({ id, result });
  } catch (error) {
    self.postMessage({ id, error: explain(error) });
  }
};
