// The entry point of the page that `make lesson-N` and `make try-N` serve.
import { startConsole, startViews } from "./page.js";

const { root } = document.body.dataset;
const state = document.getElementById("state");
let timer; // while the app does not start, the page reads the settings once a second
const refresh = () => readSettings().catch(() => {}); // without a server, nothing changes
const use = startConsole(send, refresh, location.origin);

/** Read how to talk to the app. It can change whenever the student saves a file. */
async function readSettings() {
  const settings = await (await fetchPatiently(new Request(`${root}settings.json`))).json();
  state.hidden = !settings.problem;
  state.className = "note problem";
  if (!settings.problem) return use(settings);
  state.textContent = `The app does not start. Correct the file and save it.\n\n${settings.problem}`;
  clearTimeout(timer);
  timer = setTimeout(refresh, 1000);
}

/** Send a request to the app. */
async function send(method, path, headers, body) {
  if (body && method === "GET") throw new Error("A browser cannot send a body with GET. Use curl.");
  const request = new Request(path, { method, headers, body, redirect: "manual", credentials: "omit", cache: "no-store" });
  const response = await fetchPatiently(request);
  const redirected = response.type === "opaqueredirect";
  return {
    status: response.status,
    reason: redirected ? "The app redirects to another URL. A browser hides this URL, but curl shows it." : response.statusText,
    headers: [...response.headers],
    body: await response.text(),
  };
}

/** Fetch something from the server. While the app reloads, wait and try again. */
async function fetchPatiently(request) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await fetch(request.clone());
    } catch (error) {
      if (attempt === 12) throw new Error(`There is no response (${error.message}). Is the app still running in your terminal?`);
      await new Promise((done) => setTimeout(done, 250));
    }
  }
}

startViews();
await readSettings();
addEventListener("focus", refresh); // the student comes back from the editor
