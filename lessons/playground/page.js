// The console: log in, send requests, and look into the token. Two pages use it: console.js and site/site.js.
import { build, compare, decode, duration, encode, judge, verify } from "./token.js";

const MAX_TIME = 8.64e12; // seconds: the latest time that Date can show
const MAX_SHOWN = 20_000; // characters of a body
const SHOWN_HEADERS = ["Content-Type", "WWW-Authenticate", "Location", "Allow", "Cache-Control", "Set-Cookie"];
const JWT = /^eyJ[\w-]*\.[\w-]*\.[\w-]*$/;
const PARTS = ["one", "two", "three"];
const MARKS = { passed: "✓ passed", refused: "✕ refused", wrong: "⚠ wrong", open: "– not reached" };

/** The changes of a token: a label, what it does to header and claims, and how to sign the new token. */
const CHANGES = [
  ["Another user", (_, claims) => setUser(claims, (id) => (id === 1 ? 2 : 1)), "keep"],
  ["Admin", (_, claims) => Object.assign(claims, { is_admin: true }, claims.role && { role: "admin" }), "keep"],
  ["Never expires", (_, claims) => { claims.exp = 9_999_999_999; }, "keep"],
  ["alg: none", (header) => { header.alg = "none"; }, "none"],
  ["Another key", () => {}, "other"],
  ["One hour older", (_, claims) => addSeconds(claims, -3600), "key"],
  ["Just expired", (_, claims) => addSeconds(claims, Math.floor(Date.now() / 1000) - claims.exp), "key"],
  ["No exp", (_, claims) => { delete claims.exp; }, "key"],
  ["Unknown user", (_, claims) => setUser(claims, () => 999_999), "key"],
];

function addSeconds(claims, seconds) {
  for (const name of ["exp", "iat", "nbf"]) if (name in claims) claims[name] += seconds;
}

/** Change the claim that says who the user is: `sub` (RFC 7519), or `identity` in Flask-JWT. */
function setUser(claims, change) {
  if ("sub" in claims) claims.sub = String(change(Number(claims.sub)));
  else claims.identity = change(claims.identity);
}

/** Return a new element with a text, as text. */
export function element(name, text = "", properties = {}) {
  return Object.assign(document.createElement(name), { textContent: text }, properties);
}

/** Let the buttons in the page's header choose what a narrow page shows. */
export function startViews() {
  const buttons = [...document.querySelectorAll("[data-show]")];
  const show = (view) => {
    document.body.dataset.view = view;
    for (const button of buttons) if (button.closest(".views")) button.ariaPressed = button.dataset.show === view;
  };
  for (const button of buttons) button.onclick = () => {
    show(button.dataset.show);
    if (!button.closest(".views")) document.getElementById(button.dataset.show).focus();
  };
  show(document.body.dataset.view);
}

/**
 * Make the console work. `send(method, path, headers, body)` returns {status, reason, headers, body} and perhaps
 * {error}, which explains a 500. It rejects with an Error for the student. Returns `use`, a function that takes the settings of the app (see settings.py).
 * `refresh` reads the settings again and calls `use`. `origin` is the address of the app for curl.
 */
export function startConsole(send, refresh, origin) {
  const $ = (id) => document.getElementById(id);
  let settings = null;
  let issued = ""; // the token as the app made it
  let token = ""; // the token as it is now
  let last = null; // the latest request that was not a login: {method, path, body}
  let owner = ""; // the name with which the owner of the token has logged in
  let login = Promise.resolve(); // the latest login: a request waits for its token
  const tokens = new Map(); // the tokens from responses and their owners, by a label
  let count = 0;

  function use(next) {
    if (JSON.stringify(next) === JSON.stringify(settings)) return;
    settings = next;
    const { login, users } = next;
    // students send GET most often, so its buttons come first
    const routes = next.routes.toSorted((a, b) => (b.method === "GET") - (a.method === "GET"));
    $("name-key").textContent = login.name_key;
    $("password-key").textContent = login.password_key;
    showButtons("users", users, (user) => [`Log in as ${user.username}`, () => logIn(() => logInData(user))]);
    showButtons("routes", routes, ({ method, path }) => [`${method} ${path}`, () => {
      fillRequest(method, path);
      ask(method, path);
    }]);
    last ??= routes[0] ?? { method: "GET", path: "/" };
    if (!$("name").value && users[0]) fillLogin(...logInData(users[0]));
    if ($("path").value === "/") fillRequest(last.method, last.path);
    for (const button of document.querySelectorAll("#console form button")) button.disabled = false;
    for (const control of document.querySelectorAll("#signed button, #signing [value=key]")) control.disabled = !next.key;
    showToken({ keepFields: true });
  }

  /** Show a button for each item, unless they are there: a button must not vanish while a student clicks it. */
  function showButtons(id, items, describe) {
    const shown = JSON.stringify(items);
    if ($(id).dataset.shown === shown) return;
    $(id).dataset.shown = shown;
    $(id).replaceChildren(...items.map((item) => {
      const [label, onclick] = describe(item);
      return element("button", label, { type: "button", className: "main", onclick });
    }));
  }

  /** Return the name and the password with which a user logs in to the app. */
  function logInData(user) {
    return [user[settings.login.name_key] ?? user.username, user.password];
  }

  function fillLogin(name, password) {
    $("name").value = name;
    $("password").value = password;
  }

  function fillRequest(method, path) {
    $("method").value = method;
    $("path").value = path;
  }

  /** Log in with the name and the password that `read` returns. An edit may just have changed the login. */
  function logIn(read) {
    login = sendLogin(read).catch(() => {});
  }

  async function sendLogin(read) {
    await refresh();
    const [name, password] = read();
    fillLogin(name, password);
    const { path, name_key, password_key } = settings.login;
    const body = JSON.stringify({ [name_key]: name, [password_key]: password });
    await exchange("POST", path, { "Content-Type": "application/json" }, body, name);
  }

  async function ask(method, path, body = null) {
    await login;
    if (!path.startsWith("/")) path = `/${path}`;
    last = { method, path, body };
    showAgain();
    const authorization = $("authorization").value.trim();
    await exchange(method, path, {
      ...(authorization && { Authorization: authorization }),
      ...(body && { "Content-Type": "application/json" }),
    }, body);
  }

  /** Send a request, and show it with its response. For a login, `name` is the name of the user. */
  async function exchange(method, path, headers, body, name) {
    const details = addExchange(method, path, headers, body);
    const field = (name) => details.querySelector(name);
    const number = count;
    $("gates").replaceChildren();
    $("result").textContent = "";
    try {
      const response = await send(method, path, headers, body);
      const shown = SHOWN_HEADERS.flatMap((header) => response.headers
        .filter(([name]) => name.toLowerCase() === header.toLowerCase()).map(([, value]) => `${header}: ${value}`));
      const lines = [`${response.status || ""} ${response.reason}`.trim(), ...shown];
      const cut = response.body.length > MAX_SHOWN ? "\n… (this page shows no more of this long body)" : "";
      field(".response").textContent = `${lines.join("\n")}\n\n${response.body.slice(0, MAX_SHOWN).trim()}${cut}`;
      field(".status").textContent = response.status || "redirect";
      details.classList.add(response.status && response.status < 400 ? "good" : "bad");
      $("summary").textContent = `The app responded with ${response.status || "a redirect"} to #${number}.`;
      if (count > 1) $("summary").textContent += " To compare it with an older request, open that one too.";
      keepTokens(response.body, number, name ?? owner);
      if (!name) await showGates(headers.Authorization ?? "", response, number, field(".result"));
      if (response.status >= 500) field(".result").textContent = response.error || "the app has an error";
    } catch (error) {
      // If the status is already there, the response has come, but the page cannot show its token.
      const isShown = field(".status").textContent !== "…";
      field(isShown ? ".result" : ".response").textContent = error.message;
      if (!isShown) field(".status").textContent = "No response";
      details.classList.add("bad");
    }
    if (document.activeElement !== $("again")) details.scrollIntoView({ block: "nearest" });
    refresh(); // the app may have reloaded: it may have other routes now, or it may no longer start
  }

  function addExchange(method, path, headers, body) {
    const details = $("exchange").content.firstElementChild.cloneNode(true);
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;
    const curl = ["curl -si", ...(method === "GET" && !body ? [] : [`-X ${method}`]), quote(origin + path),
      ...lines.map((line) => `-H ${quote(line)}`), ...(body ? [`-d ${quote(body)}`] : [])].join(" ");
    const field = (name) => details.querySelector(name);
    field(".number").textContent = `#${++count}`;
    field(".what").textContent = `${method} ${path}`;
    field(".who").textContent = headers.Authorization && owner ? `with the token of ${owner}` : "";
    field(".status").textContent = "…";
    field(".request").textContent = [`${method} ${path}`, ...lines, ...(body ? ["", body] : [])].join("\n");
    field(".curl").textContent = curl;
    field(".copy").onclick = async ({ target }) => {
      await navigator.clipboard.writeText(curl);
      target.textContent = "Copied";
      setTimeout(() => { target.textContent = "Copy"; }, 2000);
    };
    for (const older of $("exchanges").children) older.open = false;
    $("exchanges").prepend(details);
    return details;
  }

  /** Show which check of the token failed, in the exchange and beside the token. */
  async function showGates(authorization, response, number, result) {
    $("result").textContent = `The app responded with ${response.status || "a redirect"} to #${number}.`;
    const checks = await judge({ authorization, status: response.status, text: response.body }, settings, Date.now() / 1000);
    if (!checks) return;
    $("gates").replaceChildren(...checks.map(({ name, state, why }) => {
      const item = element("li", "", { className: state });
      item.append(element("b", name), ` ${MARKS[state]}`, ...(why ? [element("p", why)] : []));
      return item;
    }));
    const stop = checks.find(({ state }) => state === "refused" || state === "wrong");
    const verdict = stop?.state === "wrong" ? "accepted, but should be refused because of"
      : "refused because of";
    result.textContent = stop ? `${verdict}: ${stop.name}` : "";
  }

  /** Keep the tokens in the response to a request, and show the first one. `who` is their owner. */
  function keepTokens(body, number, who) {
    let values;
    try {
      values = Object.entries(JSON.parse(body) ?? {});
    } catch {
      return;
    }
    const found = values.filter(([, value]) => typeof value === "string" && value.length < MAX_SHOWN && JWT.test(value));
    if (!found.length) return;
    const source = who ? `#${number}, ${who}` : `#${number}`;
    for (const [name, value] of found) tokens.set(`${name} (${source})`, { value, who });
    $("tokens").replaceChildren(...[...tokens.keys()].map((label) => element("option", label)));
    $("choice").hidden = false;
    $("tokens").value = `${found[0][0]} (${source})`;
    $("tokens").onchange();
  }

  $("tokens").onchange = () => {
    ({ value: issued, who: owner } = tokens.get($("tokens").value));
    setToken(issued);
  };

  function setToken(next) {
    token = next;
    $("authorization").value = `${settings.prefix} ${token}`;
    $("signing").value = "keep";
    showToken();
  }

  /** Show the three parts of the token, and fill the fields in which a student can edit them. */
  function showToken({ keepFields = false } = {}) {
    $("no-token-yet").hidden = !!token;
    $("anatomy").hidden = !token;
    $("gates").replaceChildren();
    $("result").textContent = "";
    showAgain();
    if (!token) return;
    const before = issued.split(".");
    const parts = token.split(".");
    $("parts").replaceChildren(...parts.flatMap((part, index) => {
      const span = element("span", "", { className: PARTS[index] ?? "" });
      span.append(...compare(before[index] ?? "", part).map(([text, changed]) => (changed ? element("mark", text) : text)));
      return index ? [".", span] : [span];
    }));
    if (!keepFields) fillFields(...parts.map(decode));
    showVerdict();
    showTimes();
  }

  function fillFields(header, claims) {
    for (const [id, value] of [["token-header", header], ["token-claims", claims]]) {
      $(id).value = value ? JSON.stringify(value, null, 2) : "";
      $(id).rows = $(id).value.split("\n").length;
      $(id).ariaInvalid = null;
    }
    $("json-problem").textContent = "";
  }

  async function showVerdict() {
    const shown = token;
    const good = await verify(token, settings.key);
    if (token !== shown) return; // the student has changed the token in the meantime
    const words = {
      true: "✓ The signature is good: it was made with the app's key for this header and these claims.",
      false: token.split(".")[2] ? "✕ The signature is bad: the app's key gives a different signature."
        : "✕ There is no signature.",
      null: settings.key ? "This page cannot check this algorithm."
        : "This page does not know the app's key, so it cannot check the signature.",
    };
    $("verdict").textContent = words[good];
    $("verdict").className = { true: "good", false: "bad" }[good] ?? "";
  }

  /** Show what the times in the claims mean now. This runs twice a second. */
  function showTimes() {
    const claims = decode(token.split(".")[1] ?? "") ?? {};
    const time = (name) => (typeof claims[name] === "number" ? claims[name] : NaN);
    const now = Date.now() / 1000;
    const { leeway } = settings;
    const left = time("exp") - now;
    $("left").textContent = claims.exp == null ? "This token has no exp, so it does not say when it expires."
      : !Number.isFinite(left) ? "The exp of this token is not a time."
        : left > 0 ? `This token expires in ${duration(left)}.`
          : left > -leeway ? `This token has expired, but the app accepts it for ${duration(left + leeway)} more.`
            : `This token expired ${duration(-left)} ago.`;
    $("leeway").textContent = leeway ? `The app has a leeway of ${duration(leeway)}. This is a setting of the app, not a part of the token.` : "The app has no leeway.";
    const total = time("exp") - (time("iat") || now) + leeway;
    $("life").hidden = !(total > leeway && total < Infinity);
    $("life").firstElementChild.style.width = `${(100 * Math.max(0, left)) / total}%`;
    $("life").lastElementChild.style.width = `${(100 * Math.max(0, Math.min(leeway, left + leeway))) / total}%`;
    const names = { iat: "iat: issued at", nbf: "nbf: valid from", exp: "exp: expires at" };
    const times = Object.keys(names).filter((name) => Math.abs(time(name)) < MAX_TIME);
    const local = new Intl.DateTimeFormat([], { dateStyle: "medium", timeStyle: "medium" });
    const words = times.map((name) => `${names[name]} ${local.format(claims[name] * 1000)}`);
    if ($("words").innerText !== words.join("\n")) $("words").replaceChildren(...words.map((text) => element("li", text)));
  }
  setInterval(() => token && showTimes(), 500);

  function showAgain() {
    if (last) $("again").textContent = `Send ${last.method} ${last.path} with this token`;
  }

  /** Make the token that the fields describe. */
  async function rebuild() {
    const old = issued.split(".");
    const parts = [];
    $("json-problem").textContent = "";
    for (const id of ["token-header", "token-claims"]) $(id).ariaInvalid = null;
    for (const [index, id, name] of [[0, "token-header", "header"], [1, "token-claims", "claims"]]) {
      try {
        const text = JSON.stringify(JSON.parse($(id).value));
        parts.push(text === JSON.stringify(decode(old[index] ?? "")) ? old[index] : encode(text));
      } catch (error) {
        $(id).ariaInvalid = true;
        $("json-problem").textContent = `The ${name} must be JSON, so the token stays as it was. ${error.message}`;
        return;
      }
    }
    token = await build(parts[0], parts[1], $("signing").value, old[2] ?? "", settings.key);
    $("authorization").value = `${settings.prefix} ${token}`;
    showToken({ keepFields: true });
  }
  for (const id of ["token-header", "token-claims", "signing"]) $(id).oninput = rebuild;

  async function change(edit, signing) {
    const [header, claims] = issued.split(".").map((part) => decode(part) ?? {});
    edit(header, claims);
    fillFields(header, claims);
    $("signing").value = signing;
    await rebuild();
  }
  for (const [label, edit, signing] of CHANGES) {
    const button = element("button", label, { type: "button", onclick: () => change(edit, signing) });
    $(signing === "key" ? "signed" : "forged").append(button);
  }
  $("undo").onclick = () => setToken(issued);

  $("authorization").oninput = () => {
    const written = $("authorization").value.trim().split(" ").at(-1);
    if (!settings || !written.includes(".")) return;
    issued ||= written;
    token = written;
    showToken();
  };
  $("no-token").onclick = () => { $("authorization").value = ""; };
  $("again").onclick = () => ask(last.method, last.path, last.body);
  $("login").onsubmit = (event) => { event.preventDefault(); logIn(() => [$("name").value, $("password").value]); };
  $("ask").onsubmit = (event) => {
    event.preventDefault();
    ask($("method").value, $("path").value, $("body").value.trim() || null);
  };
  return use;
}
