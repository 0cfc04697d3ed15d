// Talk to Python in a worker, and replace the worker if it does not respond.

const MAX_CRASHES = 3; // in a row

/**
 * Return the URL of a script that imports the worker. A worker from a blob gets the page's security policy.
 * A worker from a static server would have none, and Python could send requests to any host.
 */
function wrap(url) {
  const code = `import("${url}").catch(({ message }) => self.postMessage({ broken: message }));`;
  return URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
}

/** Python in a worker of its own. */
export class Python {
  /**
   * Start Python. `seconds` is the time limit for each call. `onPrinted` gets what Python prints.
   * `onState` gets "loading", "ready", or "broken" and why.
   */
  constructor({
    seconds = 20, onPrinted = () => {}, onState = () => {}, url = new URL("worker.js", import.meta.url),
  }) {
    Object.assign(this, { seconds, onPrinted, onState, script: wrap(url) });
    Object.assign(this, { files: new Map(), waiting: new Map(), calls: 0, crashes: 0 });
    this.start();
  }

  start() {
    this.stopped = null; // why Python has stopped
    this.onState("loading");
    this.worker = new Worker(this.script, { type: "module" });
    this.worker.onmessage = ({ data }) => this.receive(data);
    this.worker.onerror = (event) => this.fail(event.message || "the worker did not start");
    this.ready = new Promise((resolve) => { this.onReady = resolve; });
    for (const [path, text] of this.files) this.write(path, text);
  }

  receive({ id, printed, ready, broken, result, error }) {
    if (printed !== undefined) this.onPrinted(printed);
    else if (ready) { this.onReady(); this.onState("ready"); }
    else if (broken) this.fail(broken);
    else if (error) this.recover(`Python stopped: ${error}`);
    else this.waiting.get(id)?.resolve(result);
  }

  /**
   * Call a method of Course in browser_python.py. The promise rejects if Python stops or takes too long.
   * The time while Python loads does not count.
   */
  async call(name, ...args) {
    if (this.stopped) throw new Error(this.stopped);
    const id = ++this.calls;
    let timer;
    this.ready.then(() => {
      this.worker.postMessage({ id, name, args });
      const late = `Python took longer than ${this.seconds} seconds, so this page stopped it.`;
      timer = setTimeout(() => this.recover(late), this.seconds * 1000);
    });
    try {
      const result = await new Promise((resolve, reject) => { this.waiting.set(id, { resolve, reject }); });
      if (name !== "write") this.crashes = 0;
      return result;
    } finally {
      clearTimeout(timer);
      this.waiting.delete(id);
    }
  }

  /** Save a file of the course. A Python that replaces this one gets the file, too. */
  write(path, text) {
    this.files.set(path, text);
    this.call("write", path, text).catch(() => {});
  }

  /** Stop Python. Calls that wait reject with this sentence. */
  stop(sentence) {
    this.stopped = sentence;
    // A busy Python can still send an error while it ends. Ignore it, because the next Python did not cause it.
    this.worker.onmessage = this.worker.onerror = null;
    this.worker.terminate();
    for (const { reject } of this.waiting.values()) reject(new Error(sentence));
  }

  fail(why) {
    this.stop(`Python is not available: ${why}`);
    this.onState("broken", why);
  }

  /** Replace a Python that has stopped. After several crashes in a row, give up. */
  recover(why) {
    this.crashes += 1;
    if (this.crashes > MAX_CRASHES) this.fail(why);
    else this.restart(why);
  }

  /** Replace Python by a new one with the same files. */
  restart(why = "Python starts again.") {
    this.stop(why);
    this.start();
  }
}

/** Checks answers. Each check gets a Python of its own, because an answer can leave anything behind. */
export class Checker {
  constructor(url) { this.url = url; }

  /** Start the Python of the next check now, so that the check does not have to wait. */
  prepare() {
    if (this.spare && !this.spare.stopped) return;
    this.spare = new Python({ seconds: 60, url: this.url });
    this.spare.call("prepare").catch(() => {});
  }

  /** Check the answer to an exercise. Return {checks, problem}. */
  async check(folder, answer) {
    this.prepare();
    const python = this.spare;
    this.spare = null;
    try {
      python.write(`lessons/${folder}/answer.py`, answer);
      return await python.call("check", folder);
    } finally {
      python.stop("The check is over.");
      this.prepare();
    }
  }
}
