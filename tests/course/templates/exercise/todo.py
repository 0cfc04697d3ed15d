# TODO: Let the app respond to GET /exercise-LABEL with 200 and {"ready": true}. Nobody needs a token.
# TODO(author): Say in these lines what the app of your students should do. Do not say how.
