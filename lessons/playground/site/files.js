// What this browser keeps of a student's work: the changed files and the points. localStorage holds it.
const PREFIX = "flask-jwt-companion/";

/** Return a value that `keep` has kept, or an empty object. */
function recall(key) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + key)) ?? {};
  } catch {
    return {}; // the browser allows no storage, or the text is not from this page
  }
}

/** Keep a value in this browser. Return whether the browser could do so. */
export function keep(key, value) {
  try {
    localStorage.setItem(PREFIX + key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

/** Show the points of an exercise, if the student has checked an answer to it. */
export function showPoints(place, folder) {
  const { earned, possible } = recall(`${folder}/points`);
  if (!possible) return;
  place.textContent = `${earned === possible ? "✓ " : ""}${earned} of ${possible} points`;
  place.classList.toggle("full", earned === possible);
}

/**
 * The files of a lesson, with the student's changes. For a changed file, `text` is the student's text, and
 * `original` is the course's text when the student began. `aside` is the text that the student put aside.
 */
export class Files {
  constructor(folder, originals) {
    Object.assign(this, { folder, originals, versions: {}, isKept: true });
    for (const path in originals) this.versions[path] = recall(`${folder}/${path}`);
  }

  text(path) { return this.versions[path].text ?? this.originals[path]; }
  isChanged(path) { return this.text(path) !== this.originals[path]; }
  isOutdated(path) { return this.isChanged(path) && this.versions[path].original !== this.originals[path]; }

  edit(path, text) {
    const course = this.originals[path];
    const { aside, original } = this.versions[path];
    const change = { text, original: this.isChanged(path) ? original : course };
    this.versions[path] = { aside, ...(text !== course && change) };
    this.isKept = keep(`${this.folder}/${path}`, this.versions[path]);
  }

  /** Return the text that was put aside, if it is another one. */
  aside(path) {
    const { aside } = this.versions[path];
    return aside === this.text(path) ? undefined : aside;
  }

  /** Put a changed text aside. The edit that replaces it keeps it. */
  putAside(path) {
    if (this.isChanged(path)) this.versions[path].aside = this.text(path);
  }
}
