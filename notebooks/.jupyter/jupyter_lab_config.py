"""Run JupyterLab on the notebooks: open to this machine only, and without requests to other servers.

The port and other options come on the command line: `make notebooks PORT=8890 ARGS=--no-browser`.
"""

from pathlib import Path

HERE = Path(__file__).parent

c = get_config()  # noqa: F821  Jupyter defines get_config() for its configuration files
c.ServerApp.root_dir = str(HERE.parent)
c.ServerApp.ip = "127.0.0.1"
c.ServerApp.allow_root = True  # containers often run everything as root
c.LabApp.app_settings_dir = str(HERE)  # has overrides.json, so JupyterLab does not ask about news
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.extension_manager = "readonly"
c.LabApp.news_url = None
c.LanguageServerManager.autodetect = False  # otherwise a long list of missing programs hides the URL
