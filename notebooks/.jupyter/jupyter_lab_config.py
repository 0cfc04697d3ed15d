"""JupyterLab for these notebooks: on this machine alone, and asking nothing of anybody else's server."""

from pathlib import Path

HERE = Path(__file__).parent

c = get_config()  # noqa: F821  which Jupyter lends to a file of this kind
c.ServerApp.root_dir = str(HERE.parent)
c.ServerApp.ip = "127.0.0.1"
c.ServerApp.allow_root = True  # as which one works in a container
c.LabApp.app_settings_dir = str(HERE)  # for overrides.json, which answers the question about Jupyter's news
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.extension_manager = "readonly"
c.LabApp.news_url = None
