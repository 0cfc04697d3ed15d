// The exercise of a lesson: its checks, hints and points.
import { element } from "../page.js";
import { keep, showPoints } from "./files.js";
import { Checker } from "./python.js";

const MARKS = { passed: "✓ Passed", failed: "✕ Failed", skipped: "– Not checked" };
const FIELD = /^(sent|expected|got|question) +/m; // how the parts of a message begin
const NEEDS = "This check needs another check that failed:";
const AGAIN = "(the same reason as above)";
const MAX_PRINTED = 500; // characters, as in the terminal
const UNCHANGED = "You have not changed answer.py yet, so you have no points. Change it at the TODO.";

/** Prepare the exercise. `readAnswer` returns the text of answer.py. */
export function startExercise(folder, starter, readAnswer) {
  const $ = (id) => document.getElementById(id);
  const checker = new Checker();
  const ifStuck = element("span", "If you are stuck, press “Hint”.");
  let checked = null; // the answer that the latest check has seen
  let count = 0;
  let isRunning = false;

  /** Check the answer and show the result. */
  async function check() {
    if (isRunning) return;
    isRunning = true;
    $("check").ariaDisabled = true;
    $("checks").replaceChildren();
    $("next").replaceChildren();
    $("score").textContent = "The checks are running…";
    checked = readAnswer();
    showAge();
    count += 1;
    try {
      showResult(await checker.check(folder, checked));
    } catch (error) {
      $("score").textContent = `Attempt ${count}: ${error.message}`;
    }
    ($("checks").querySelector(".failed") ?? $("next")).scrollIntoView({ block: "nearest" });
    isRunning = false;
    $("check").ariaDisabled = false;
  }

  function showResult({ checks, problem }) {
    const sum = (list) => Math.round(100 * list.reduce((points, one) => points + one.points, 0)) / 100;
    const [earned, possible] = [sum(checks.filter(({ outcome }) => outcome === "passed")), sum(checks)];
    $("checks").append(...describe(checks));
    $("score").textContent = `Attempt ${count}: ${problem ?? `${earned} of ${possible} points`}`;
    if (earned === possible && !problem) $("next").append($("done").content.cloneNode(true));
    else if (checked === starter) $("next").textContent = UNCHANGED;
    else $("next").append("Change answer.py, then check it again. ", ifStuck);
    if (!problem) keep(`${folder}/points`, { earned, possible });
    showPoints($("points"), folder);
  }

  /** Mark a result as old if answer.py has changed since the check. */
  function showAge() {
    const isOld = checked !== null && checked !== readAnswer();
    $("exercise").classList.toggle("old", isOld);
    $("changed").hidden = !isOld;
  }

  function showHint() {
    const [hint, ...more] = $("hints").querySelectorAll("[hidden]");
    if (!hint) return;
    hint.hidden = false;
    hint.scrollIntoView({ block: "nearest" });
    $("hint").textContent = more.length ? "Next hint" : "No more hints";
    $("hint").ariaDisabled = !more.length;
    ifStuck.textContent = `If you are stuck, ${more.length ? "press “Next hint”" : "read the lesson again"}.`;
  }

  $("check").onclick = check;
  $("check").disabled = false;
  $("hint").onclick = showHint;
  showPoints($("points"), folder);
  return { check, showAge, prepare: () => checker.prepare() };
}

/** Return an element for each check, with the texts that the terminal shows. */
function describe(checks) {
  const shown = new Set(); // each message is shown once
  return checks.map(({ sentence, points, outcome, message, printed }) => {
    const item = element("li", "", { className: outcome });
    const earned = outcome === "passed" ? points : 0;
    item.append(element("b", `${MARKS[outcome]}: ${earned} of ${points} points`), ` ${sentence}`);
    const isNew = message && !shown.has(message);
    shown.add(message);
    const reason = isNew ? message.replace(/^needs:/, NEEDS) : "";
    if (outcome === "failed") item.append(...describeFailure(reason || AGAIN, printed));
    else if (reason) item.append(element("p", reason));
    return item;
  });
}

/** Return the message of a failed check, with the names of its parts in a column of their own. */
function describeFailure(message, printed) {
  const [before, ...parts] = message.split(FIELD);
  if (printed) parts.push("printed", printed.trim().slice(0, MAX_PRINTED));
  const list = element("dl");
  list.append(...parts.map((part, index) => element(index % 2 ? "dd" : "dt", adapt(part.trim()))));
  return [...(before ? [element("pre", before)] : []), ...(parts.length ? [list] : [])];
}

/** Adapt a part of a message to this page: it has a column of its own, and this page has no terminal. */
function adapt(text) {
  return text.replaceAll("\n          ", "\n").replace(/make try-\d+ shows/, "“Messages from Python” shows");
}
