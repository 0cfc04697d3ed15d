// The entry point of the static site: the lesson's app runs in the browser's Python, and students edit it.
import { element, startConsole, startViews } from "../page.js";
import { startEditor } from "./editor.js";
import { startExercise } from "./exercise.js";
import { Files, showPoints } from "./files.js";
import { Python } from "./python.js";

const PAUSE = 400; // milliseconds without an edit until the app starts again
const MAX_PRINTED = 20_000; // characters
const ORIGIN = "http://127.0.0.1:8000"; // of `make lesson-N`, for the lines with curl
const STATES = {
  loading: "Python is loading. This takes a few seconds.",
  ready: "Python is ready.",
  broken: "Python does not start: ",
};
const NOT_KEPT = "This browser cannot keep your work, because its storage is full or switched off. "
  + "Download the file before you leave this page.";
const OUTDATED = "The course has a newer version of this file. To see it, press “Back to the original”. "
  + "Afterwards, you can bring your version back.";
const $ = (id) => document.getElementById(id);
const { folder } = document.body.dataset;

if (folder) {
  startViews();
  startLesson(await (await fetch("lesson.json")).json());
} else startList();

/** Show the points in the list of lessons. */
function startList() {
  for (const link of document.querySelectorAll("#read li > a")) {
    const place = element("b", "", { className: "points" });
    link.parentElement.append(" ", place);
    showPoints(place, new URL(link.href).pathname.split("/").at(-2));
  }
}

/** Start the editor, Python, the console and the exercise. */
function startLesson(originals) {
  const files = new Files(folder, originals);
  const paths = Object.keys(originals);
  const starter = originals["answer.py"];
  const python = new Python({ onPrinted: print, onState: showState });
  const use = startConsole(send, readSettings, ORIGIN);
  const editor = startEditor($("editor"), edit, () => exercise?.check());
  const exercise = starter && startExercise(folder, starter, () => files.text("answer.py"));
  let timer;

  const restart = () => python.restart();
  const target = () => $("target")?.value ?? "app.py";
  const write = (path) => python.write(`lessons/${folder}/${path}`, files.text(path));

  function print(text) {
    $("printed").textContent = ($("printed").textContent + text).slice(-MAX_PRINTED);
  }

  /** Show what Python is doing. When it is ready, the console can begin. */
  function showState(state, why = "") {
    if (state === "ready") return readSettings();
    show(STATES[state] + why, state === "broken");
    if (state === "broken") $("state").append(" ", element("button", "Restart Python", { onclick: restart }));
  }

  /** Show a text in the console. If the text is a problem, show it below the editor too. */
  function show(text, isProblem) {
    for (const place of [$("state"), $("problem")]) {
      place.textContent = text;
      place.classList.toggle("problem", isProblem);
      place.classList.toggle("aligned", text.includes("^")); // Python's ^ points at a letter above it
    }
    $("state").hidden = false;
    $("problem").hidden = !isProblem;
  }

  /** Read how to talk to the app. It can change with each edit. */
  async function readSettings() {
    try {
      const settings = await python.call("settings", folder, target());
      if (!settings.problem) use(settings);
      show(settings.problem ?? STATES.ready, !!settings.problem);
    } catch (error) {
      print(`${error.message}\n`); // a Python that starts again reads the settings again
    }
  }

  async function send(...request) {
    const response = await python.call("send", folder, target(), ...request);
    if (response.problem) throw new Error(response.problem);
    if (response.status >= 500) $("output").open = true;
    return response;
  }

  function edit(text) {
    files.edit($("file").value, text);
    write($("file").value);
    clearTimeout(timer);
    timer = setTimeout(readSettings, PAUSE);
    exercise?.showAge();
    showFile();
  }

  function openFile() {
    editor.open($("file").value, files.text($("file").value));
    showFile();
  }

  /** Put the old text of the file aside, and show this text instead. */
  function replace(text) {
    files.putAside($("file").value);
    editor.replace(text);
  }

  /** Show what the student should know about the file. */
  function showFile() {
    const path = $("file").value;
    for (const option of $("file").options)
      option.text = `${option.value}${files.isChanged(option.value) ? " (changed)" : ""}`;
    $("original").ariaDisabled = !files.isChanged(path);
    $("mine").ariaDisabled = files.aside(path) === undefined;
    const note = !files.isKept ? NOT_KEPT : files.isOutdated(path) ? OUTDATED : "";
    if ($("file-note").textContent !== note) $("file-note").textContent = note;
    $("file-note").hidden = !note;
  }

  /** Send the next requests to the app that the student sees: the one in the editor, or that of the text. */
  function chooseTarget() {
    const isAnswer = document.body.dataset.view === "code" && $("file").value === "answer.py";
    if ($("target")) $("target").value = isAnswer ? "answer.py" : "app.py";
    readSettings();
  }

  function download() {
    const href = URL.createObjectURL(new Blob([files.text($("file").value)]));
    element("a", "", { href, download: $("file").value.replaceAll("/", "-") }).click();
    URL.revokeObjectURL(href);
  }

  $("file").append(...paths.map((path) => element("option", path, { value: path })));
  $("file").onchange = () => { openFile(); chooseTarget(); };
  if ($("target")) $("target").onchange = readSettings;
  $("original").onclick = () => replace(originals[$("file").value]);
  $("mine").onclick = () => replace(files.aside($("file").value) ?? files.text($("file").value));
  $("download").onclick = download;
  $("restart").onclick = restart;
  for (const button of document.querySelectorAll("[data-show=read], [data-show=code]"))
    button.addEventListener("click", chooseTarget);
  for (const button of document.querySelectorAll("[data-show=code]"))
    button.addEventListener("click", () => exercise?.prepare());
  for (const path of paths) if (path === "answer.py" || files.isChanged(path)) write(path);
  openFile();
}
