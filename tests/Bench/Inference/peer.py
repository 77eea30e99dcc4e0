"""The peer: DistilBERT for classification as PyTorch runs it eagerly, in 32-bit floats, layer by layer as Hugging Face's
modeling_distilbert.py writes it, from the same model directory that the worker reads.

Needs Debian's python3-torch with libopenblas0-openmp."""
import json
import os
import re
import struct
import unicodedata

# A core type set from outside makes OpenBLAS use other kernels than this processor's best: the ratio would flatter us.
for name in [name for name in os.environ if name.startswith("OPENBLAS_")]:
    del os.environ[name]
os.environ["OMP_NUM_THREADS"] = "1"

import numpy  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402

torch.set_num_threads(1)


class Layer(nn.Module):
    def __init__(self, dim, heads, hidden):
        super().__init__()
        self.heads, self.size = heads, dim // heads
        self.attention = nn.ModuleDict({name: nn.Linear(dim, dim) for name in ("q_lin", "k_lin", "v_lin", "out_lin")})
        self.sa_layer_norm = nn.LayerNorm(dim, eps=1e-12)
        self.ffn = nn.ModuleDict({"lin1": nn.Linear(dim, hidden), "lin2": nn.Linear(hidden, dim)})
        self.output_layer_norm = nn.LayerNorm(dim, eps=1e-12)

    def forward(self, x, mask):
        batch, length, dim = x.shape

        def split(y):
            return y.view(batch, -1, self.heads, self.size).transpose(1, 2)

        query = split(self.attention["q_lin"](x)) / self.size ** 0.5
        key = split(self.attention["k_lin"](x))
        value = split(self.attention["v_lin"](x))
        scores = torch.matmul(query, key.transpose(2, 3))
        if mask is not None:
            scores = scores.masked_fill(mask, torch.finfo(torch.float32).min)
        context = torch.matmul(nn.functional.softmax(scores, dim=-1), value)
        context = context.transpose(1, 2).contiguous().view(batch, length, dim)
        x = self.sa_layer_norm(self.attention["out_lin"](context) + x)
        return self.output_layer_norm(self.ffn["lin2"](nn.functional.gelu(self.ffn["lin1"](x))) + x)


class DistilBert(nn.Module):
    def __init__(self, directory):
        super().__init__()
        with open(os.path.join(directory, "config.json"), encoding="utf-8") as file:
            config = json.load(file)
        dim = config.get("dim", 768)
        self.positions = config.get("max_position_embeddings", 512)
        self.embeddings = nn.ModuleDict({
            "word_embeddings": nn.Embedding(config.get("vocab_size", 30522), dim),
            "position_embeddings": nn.Embedding(self.positions, dim),
            "LayerNorm": nn.LayerNorm(dim, eps=1e-12),
        })
        layers = [Layer(dim, config.get("n_heads", 12), config.get("hidden_dim", 3072)) for _ in range(config.get("n_layers", 6))]
        self.transformer = nn.ModuleDict({"layer": nn.ModuleList(layers)})
        self.pre_classifier = nn.Linear(dim, dim)
        self.classifier = nn.Linear(dim, len(config["id2label"]))
        self.labels = [config["id2label"][str(i)] for i in range(len(config["id2label"]))]
        self.load_state_dict(read_safetensors(os.path.join(directory, "model.safetensors")))
        self.eval()

    def forward(self, ids, mask=None):
        positions = torch.arange(ids.shape[1]).unsqueeze(0)
        x = self.embeddings["LayerNorm"](self.embeddings["word_embeddings"](ids) + self.embeddings["position_embeddings"](positions))
        for layer in self.transformer["layer"]:
            x = layer(x, mask)
        return self.classifier(nn.functional.relu(self.pre_classifier(x[:, 0])))


def read_safetensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    types = {"F32": numpy.float32, "F16": numpy.float16}
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            values = numpy.frombuffer(data[begin:end], types[entry["dtype"]]).reshape(entry["shape"])
            tensors[name.removeprefix("distilbert.")] = torch.from_numpy(values.astype(numpy.float32))
    return tensors


class Tokenizer:
    """Enough of BERT's uncased tokeniser for English: it must not be what slows the peer down."""

    def __init__(self, directory, most):
        with open(os.path.join(directory, "vocab.txt"), encoding="utf-8") as file:
            self.ids = {line.rstrip("\n"): number for number, line in enumerate(file)}
        self.most = most
        self.words = {}

    def __call__(self, text):
        plain = unicodedata.normalize("NFD", text.lower())
        ids = [self.ids["[CLS]"]]
        for word in re.findall(r"\w+|[^\w\s]", plain):
            if word not in self.words:
                self.words[word] = self.pieces(word)
            ids += self.words[word]
        return ids[:self.most - 1] + [self.ids["[SEP]"]]

    def pieces(self, word):
        ids, start = [], 0
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = ("##" if start else "") + word[start:end]
                if piece in self.ids:
                    ids.append(self.ids[piece])
                    start = end
                    break
            else:
                return [self.ids["[UNK]"]]
        return ids
