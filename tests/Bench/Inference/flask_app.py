"""The peer behind HTTP: gunicorn's Flask application with one PyTorch model in each of its processes."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import peer  # noqa: E402
import torch  # noqa: E402
from flask import Flask, jsonify, request  # noqa: E402

directory = os.environ["MODEL_DIRECTORY"]
model = peer.Classifier(directory)
tokenize = peer.Tokenizer(directory, model.positions)
app = Flask(__name__)


@app.post("/run_model")
def run_model():
    text = request.get_data(as_text=True)
    with torch.inference_mode():
        probabilities = torch.softmax(model(torch.tensor([tokenize(text)])), -1)[0].tolist()
    return jsonify(input_text=text, label=model.labels[probabilities.index(max(probabilities))], probabilities=probabilities)
