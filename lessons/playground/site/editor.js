// The editor: CodeMirror in a shadow root, where its styles need no exception in the Content-Security-Policy.
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { EditorState } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { classHighlighter } from "@lezer/highlight";

const THEME = EditorView.theme({
  "&": { fontSize: ".875rem", maxHeight: "min(36rem, 60dvh)" },
  "&.cm-focused": { outline: "3px solid var(--link)" },
  ".cm-scroller": { fontFamily: "var(--code)", lineHeight: "1.5" },
  ".cm-content": { caretColor: "var(--text)" },
  ".cm-gutters": { color: "var(--soft)", backgroundColor: "var(--panel)", borderColor: "var(--line)" },
  ".tok-keyword": { color: "var(--two)" },
  ".tok-string, .tok-string2, .tok-meta": { color: "var(--good)" },
  ".tok-number, .tok-bool": { color: "var(--one)" },
  ".tok-definition, .tok-className": { color: "var(--three)" },
  ".tok-comment": { color: "var(--soft)", fontStyle: "italic" },
});

/** Put an editor into an element. `onEdit` gets the new text, and `onSave` is called for Ctrl-S. */
export function startEditor(parent, onEdit, onSave) {
  const root = parent.attachShadow({ mode: "open" });
  const view = new EditorView({ root, parent: root });
  const states = new Map(); // one for each file, so that each has its own undo
  const save = { key: "Mod-s", preventDefault: true, run: () => { onSave(); return true; } };
  let opened;

  const start = (path, doc) => EditorState.create({
    doc,
    selection: { anchor: Math.max(0, doc.indexOf("# TODO")) },
    extensions: [
      lineNumbers(), history(), bracketMatching(), indentOnInput(), indentUnit.of("    "),
      EditorView.lineWrapping, keymap.of([save, indentWithTab, ...defaultKeymap, ...historyKeymap]),
      path.endsWith(".py") ? python() : [], syntaxHighlighting(classHighlighter), THEME,
      EditorView.contentAttributes.of({
        "aria-label": `${path}. To leave the editor, press Escape, then Tab.`, tabindex: "0",
      }),
      EditorView.domEventHandlers({ beforeinput: typeOverSelection }),
      EditorView.updateListener.of((update) => update.docChanged && onEdit(update.state.doc.toString())),
    ],
  });

  return {
    /** Show a file. It gets this text when it is shown for the first time. */
    open(path, text) {
      if (opened) states.set(opened, view.state);
      opened = path;
      view.setState(states.get(path) ?? start(path, text));
      view.dispatch({ effects: EditorView.scrollIntoView(view.state.selection.main.head, { yMargin: 100 }) });
    },
    /** Replace the text of the file that is shown. */
    replace(insert) {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert } });
    },
  };
}

/** Replace a selection. Chromium would keep its style in a style attribute, and the policy forbids that. */
function typeOverSelection({ inputType, data }, view) {
  if (inputType !== "insertText" || !data || view.state.selection.main.empty || view.composing) return false;
  view.dispatch(view.state.replaceSelection(data), { userEvent: "input.type", scrollIntoView: true });
  return true;
}
