// JSON Web Tokens (RFC 7519): read them, sign them, and find out why an app refuses one.

const HASHES = new Map([["HS256", "SHA-256"], ["HS384", "SHA-384"], ["HS512", "SHA-512"]]); // RFC 7518, section 3.2
const OTHER_KEY = "a-key-that-the-app-does-not-have-0123456789";
const UNSIGNED = /signature ver|\balg|segment|decod|padding|crypto/i; // what apps say about a bad signature
const utf8 = (text) => new TextEncoder().encode(text);

/** Return a text in base64url (RFC 7515, section 2). */
export const encode = (text) => encodeBytes(utf8(text));

function encodeBytes(bytes) {
  const base64 = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Return the JSON object in a part of a token, or null if there is none. */
export function decode(part) {
  try {
    const binary = atob(part.replaceAll("-", "+").replaceAll("_", "/"));
    const text = new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(binary, (c) => c.charCodeAt(0)));
    const value = JSON.parse(text);
    return typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/** Return a token's signature for this key, or null if the header names no HMAC algorithm. */
async function sign(signed, key) {
  const hash = HASHES.get(decode(signed.split(".")[0])?.alg);
  if (!hash || !crypto.subtle) return null; // browsers have crypto.subtle only on https: and on this computer
  const hmac = await crypto.subtle.importKey("raw", utf8(key), { name: "HMAC", hash }, false, ["sign"]);
  return encodeBytes(new Uint8Array(await crypto.subtle.sign("HMAC", hmac, utf8(signed))));
}

/** Return a token with this header and these claims. `signing` is keep, key, other or none. */
export async function build(header, claims, signing, oldSignature, key) {
  const signed = `${header}.${claims}`;
  const secret = { key, other: OTHER_KEY }[signing];
  const signature = secret ? await sign(signed, secret) : null;
  return `${signed}.${signing === "keep" ? oldSignature : (signature ?? "")}`;
}

/** Return whether the header says that the token has no signature (RFC 7519, section 6). */
function isUnsigned(header = "") {
  const alg = decode(header)?.alg;
  return typeof alg === "string" && alg.toLowerCase() === "none";
}

/** Return whether the signature belongs to this token and this key, or null if the page cannot tell. */
export async function verify(token, key) {
  const [header, claims, signature] = token.split(".");
  if (isUnsigned(header) || !signature) return false;
  const expected = key && (await sign(`${header}.${claims}`, key));
  return expected ? expected === signature : null;
}

/** Return `after` as a list of [text, whether it differs from `before`]. */
export function compare(before, after) {
  if (before.length === after.length) return runs(after, (index) => before[index] !== after[index]);
  let start = 0;
  while (start < after.length && before[start] === after[start]) start++;
  let end = 0;
  const most = Math.min(before.length, after.length) - start;
  while (end < most && before.at(-1 - end) === after.at(-1 - end)) end++;
  return runs(after, (index) => index >= start && index < after.length - end);
}

/** Split a text where the value of `differs(index)` changes. */
function runs(text, differs) {
  const found = [];
  for (let index = 0; index < text.length; index++) {
    if (found.at(-1)?.[1] === differs(index)) found.at(-1)[0] += text[index];
    else found.push([text[index], differs(index)]);
  }
  return found;
}

/** Return a number of seconds in words, such as "29 min 5 s". */
export function duration(seconds) {
  const words = [];
  let rest = Math.max(0, Math.floor(seconds));
  for (const [unit, size] of [["years", 31_557_600], ["days", 86_400], ["h", 3600], ["min", 60], ["s", 1]]) {
    const number = Math.floor(rest / size);
    if (number) words.push(`${number} ${number === 1 ? unit.replace(/(?<=\w)s$/, "") : unit}`);
    rest %= size;
  }
  return words.slice(0, 2).join(" ") || "0 s";
}

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

/** Return why an app refuses these claims at a time (in seconds), or null if it accepts them. */
function problemWith(claims, { leeway, required }, now) {
  if (!claims) return "The claims are not a JSON object.";
  const missing = required.find((name) => claims[name] === undefined || claims[name] === null);
  if (missing) return `The claim ${missing} is missing.`;
  if (isNumber(claims.exp) && claims.exp <= now - leeway) {
    const allowed = leeway ? `, and the leeway is only ${duration(leeway)}` : "";
    return `The token expired ${duration(now - claims.exp)} ago${allowed}.`;
  }
  const early = ["nbf", "iat"].find((name) => isNumber(claims[name]) && claims[name] > now + leeway);
  return early ? `The time in ${early} is in the future.` : null;
}

/** Return what is wrong with a token's signature, or null if it is good or if the page cannot tell. */
async function problemWithSignature(token, key) {
  const parts = token.split(".");
  if (parts.length !== 3) return "A token has three parts, with dots between them.";
  if (isUnsigned(parts[0])) return "The header says alg: none, so nothing proves who made the token.";
  if (!parts[2]) return "There is no signature.";
  return (await verify(token, key)) === false ? "The signature does not match the header and the claims." : null;
}

/** Return how far a token got: a list of checks with {name, state, why}, or null if the response does not say.
 *
 * The state is passed, refused, wrong (the app accepted what it should refuse) or open (not reached). `text` is the
 * body of the response. Each app has its own texts, so they decide only what the token itself does not show.
 */
export async function judge({ authorization, status, text }, settings, now) {
  const isRefused = status === 401 || status === 422;
  if (!isRefused && status !== 403 && !(status >= 200 && status < 300)) return null;
  if (!authorization && !isRefused) return null; // the app may need no token here
  const [prefix, token = "", ...more] = authorization.split(" ");
  const isSent = prefix.toLowerCase() === settings.prefix.toLowerCase() && token && !more.length;
  const canLogOut = settings.routes.some(({ path }) => path.includes("logout"));
  const checks = [
    { name: "Token", says: /authorization|access token/i, why: isSent ? null
      : authorization ? `The header must be: ${settings.prefix}, a space, and the token.` : "You sent no token." },
    { name: "Signature", says: UNSIGNED, why: (isSent && (await problemWithSignature(token, settings.key)))
      || (!settings.key && isRefused && UNSIGNED.test(text) ? "The app could not verify the signature." : null) },
    { name: "Claims and time", says: /expired|claim|yet valid|refresh token|audience|payload/i,
      why: problemWith(decode(token.split(".")[1] ?? ""), settings, now) },
    ...(canLogOut ? [{ name: "Logout", says: /revoked/i }] : []),
    { name: "User", says: /^/ },
    { name: "Permission", why: status === 403 ? "The app knows who you are, but you may not do this." : null },
  ];
  let stop = status === 403 ? checks.length - 1 : checks.length;
  if (isRefused) {
    stop = checks.findIndex(({ why }) => why);
    if (stop < 0) stop = checks.findIndex(({ says }) => says.test(text));
  }
  return checks.map(({ name, why }, index) => {
    if (index > stop) return { name, state: "open", why: "" };
    if (index === stop) return { name, state: "refused", why: `${why ?? ""} The app says: ${text.trim().slice(0, 200)}`.trim() };
    return why ? { name, state: "wrong", why: `${why} But the app accepted it.` } : { name, state: "passed", why: "" };
  });
}
