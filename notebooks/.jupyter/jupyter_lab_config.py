"""Run JupyterLab on the repository: open to this machine only, and without requests to other servers.

live.py starts JupyterLab with this file, and chooses the port and the notebook.
"""

import warnings
from pathlib import Path

import nbformat
from nbstripout import strip_output

HERE = Path(__file__).parent


def remove_outputs(model, path, **_):
    """Remove the outputs of our notebooks before JupyterLab saves them, so that git sees only your own edits.

    JupyterLab also adds the version of Python to a notebook. This removes it too.
    """
    if model["type"] == "notebook" and path.strip("/").startswith("notebooks/"):
        notebook = nbformat.from_dict(model["content"])
        extra_keys = ["metadata.language_info"]
        model["content"] = strip_output(notebook, False, False, keep_id=True, extra_keys=extra_keys)


# JupyterLab sets the hook below twice, and warns about it.
warnings.filterwarnings("ignore", "Overriding existing pre_save_hook")

c = get_config()  # noqa: F821  Jupyter defines get_config() for its configuration files
c.ServerApp.root_dir = str(HERE.parent.parent)  # so the lessons' files open in JupyterLab too
c.ServerApp.ip = "127.0.0.1"
c.ServerApp.port_retries = 0
c.ServerApp.allow_root = True  # containers often run everything as root
c.ServerApp.answer_yes = True  # Ctrl-C stops JupyterLab without a question
c.ServerApp.tornado_settings = {"static_custom_path": [str(HERE)]}  # has custom.css
c.FileContentsManager.pre_save_hook = remove_outputs
c.Application.log_level = "ERROR"  # otherwise a long log hides the URL
c.LabApp.app_settings_dir = str(HERE)  # has overrides.json, so JupyterLab does not ask about news
c.LabApp.custom_css = True
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.extension_manager = "readonly"
c.LabApp.news_url = None
c.LanguageServerManager.autodetect = False  # it would look for programs that nobody needs here
