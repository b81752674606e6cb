# Read by flask itself (python-dotenv). No secrets: it is committed.
FLASK_APP=devopser
