"""JupyterLab for these notebooks: on this machine alone, and asking nothing of anybody else's server."""

from pathlib import Path

c = get_config()  # noqa: F821  which is what Jupyter lends to a file of this kind
c.ServerApp.root_dir = str(Path(__file__).parent)
c.ServerApp.ip = "127.0.0.1"
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.extension_manager = "readonly"
