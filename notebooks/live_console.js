// Show the console in a frame, and pass messages between the frame and Python.
export default { render };

function render({ model, el }) {
  const frame = document.createElement("iframe");
  frame.title = "Console";
  frame.sandbox = "allow-scripts allow-forms"; // the frame cannot touch the notebook
  frame.allow = "clipboard-write";
  frame.style.cssText = "display: block; width: 100%; height: 30em; border: 0;";
  const post = (message) => frame.contentWindow?.postMessage(message, "*");

  /** Use the light or the dark theme of JupyterLab. */
  const showTheme = () => post({ scheme: document.body.dataset.jpThemeLight === "false" ? "dark" : "light" });
  const themes = new MutationObserver(showTheme);
  themes.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });

  const receive = ({ source, data }) => {
    if (source !== frame.contentWindow) return;
    if (data.height) frame.style.height = `${Math.min(data.height, 20_000)}px`;
    else model.send(data);
  };
  window.addEventListener("message", receive);
  model.on("msg:custom", post);
  frame.onload = showTheme;
  frame.srcdoc = model.get("page");
  el.append(frame);
  return () => {
    themes.disconnect();
    window.removeEventListener("message", receive);
    model.off("msg:custom", post);
  };
}
