"""The peer: DistilBERT, BERT or RoBERTa for classification as PyTorch runs it eagerly, in 32-bit floats, layer by layer as
Hugging Face's modeling_*.py write it, from the same model directory that the worker reads.

Needs Debian's python3-torch with libopenblas0-openmp."""
import ctypes
import json
import os
import re
import struct
import sys
import unicodedata

# A core type set from outside makes OpenBLAS use other kernels than this processor's best: the ratio would flatter us.
for name in [name for name in os.environ if name.startswith("OPENBLAS_")]:
    del os.environ[name]
os.environ["OMP_NUM_THREADS"] = "1"

import numpy  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402

torch.set_num_threads(1)


def blas():
    """OpenBLAS and the kernels that it chose. Debian's reference BLAS, twenty times slower, is no peer: it ends the program."""
    with open("/proc/self/maps") as maps:
        libraries = sorted({line.split()[-1] for line in maps if "libopenblas" in line})
    if not libraries:
        sys.exit("PyTorch computes with another BLAS than OpenBLAS: apt-get install libopenblas0-openmp")
    library = ctypes.CDLL(libraries[0])
    library.openblas_get_corename.restype = library.openblas_get_config.restype = ctypes.c_char_p
    version = library.openblas_get_config().decode().split()[1]
    return f"OpenBLAS {version} ({library.openblas_get_corename().decode()})"


BLAS = blas()

# What the parts of a name in a file are here. After modeling_distilbert.py, modeling_bert.py and
# modeling_roberta.py.
BERT_NAMES = [
    (r"encoder\.layer\.", "layers."),
    (r"attention\.self\.", ""), (r"attention\.output\.dense", "attention_output"), (r"attention\.output\.LayerNorm", "attention_norm"),
    (r"intermediate\.dense", "inner"), (r"\.output\.dense", ".outer"), (r"\.output\.LayerNorm", ".output_norm"),
    (r"pooler\.dense|classifier\.dense", "head_dense"), (r"classifier\.out_proj|classifier(?=\.)", "head_output"),
]
NAMES = {
    "bert": BERT_NAMES,
    "roberta": BERT_NAMES,
    "distilbert": [
        (r"transformer\.layer\.", "layers."),
        (r"attention\.q_lin", "query"), (r"attention\.k_lin", "key"), (r"attention\.v_lin", "value"), (r"attention\.out_lin", "attention_output"),
        (r"sa_layer_norm", "attention_norm"), (r"ffn\.lin1", "inner"), (r"ffn\.lin2", "outer"), (r"output_layer_norm", "output_norm"),
        (r"pre_classifier", "head_dense"), (r"classifier(?=\.)", "head_output"),
    ],
}


class Layer(nn.Module):
    def __init__(self, dim, heads, hidden, epsilon):
        super().__init__()
        self.heads, self.size = heads, dim // heads
        self.query, self.key, self.value, self.attention_output = (nn.Linear(dim, dim) for _ in range(4))
        self.attention_norm = nn.LayerNorm(dim, eps=epsilon)
        self.inner, self.outer = nn.Linear(dim, hidden), nn.Linear(hidden, dim)
        self.output_norm = nn.LayerNorm(dim, eps=epsilon)

    def forward(self, x, mask):
        batch, length, dim = x.shape

        def split(y):
            return y.view(batch, -1, self.heads, self.size).transpose(1, 2)

        query = split(self.query(x)) / self.size ** 0.5
        key = split(self.key(x))
        value = split(self.value(x))
        scores = torch.matmul(query, key.transpose(2, 3))
        if mask is not None:
            scores = scores.masked_fill(mask, torch.finfo(torch.float32).min)
        context = torch.matmul(nn.functional.softmax(scores, dim=-1), value)
        context = context.transpose(1, 2).contiguous().view(batch, length, dim)
        x = self.attention_norm(self.attention_output(context) + x)
        return self.output_norm(self.outer(nn.functional.gelu(self.inner(x))) + x)


class Classifier(nn.Module):
    """DistilBERT, BERT or RoBERTa, as config.json says."""

    def __init__(self, directory):
        super().__init__()
        with open(os.path.join(directory, "config.json"), encoding="utf-8") as file:
            config = json.load(file)

        def number(standard, *names):
            return next((config[name] for name in names if name in config), standard)

        self.type = config["model_type"]
        distilled = self.type == "distilbert"
        dim, heads = number(768, "dim", "hidden_size"), number(12, "n_heads", "num_attention_heads")
        hidden, layers = number(3072, "hidden_dim", "intermediate_size"), number(6 if distilled else 12, "n_layers", "num_hidden_layers")
        epsilon = number(1e-12, "layer_norm_eps")
        self.first = config.get("pad_token_id", 1) + 1 if self.type == "roberta" else 0
        rows = config.get("max_position_embeddings", 512)
        self.positions = rows - self.first
        tables = {"word_embeddings": config.get("vocab_size", 30522), "position_embeddings": rows}
        if not distilled:
            tables["token_type_embeddings"] = config.get("type_vocab_size", 2)
        self.embeddings = nn.ModuleDict({name: nn.Embedding(count, dim) for name, count in tables.items()})
        self.embeddings["LayerNorm"] = nn.LayerNorm(dim, eps=epsilon)
        self.layers = nn.ModuleList([Layer(dim, heads, hidden, epsilon) for _ in range(layers)])
        self.head_dense, self.head_output = nn.Linear(dim, dim), nn.Linear(dim, len(config["id2label"]))
        self.labels = [config["id2label"][str(i)] for i in range(len(config["id2label"]))]
        self.load_state_dict({self.name(name): values for name, values in read_safetensors(os.path.join(directory, "model.safetensors")).items()})
        self.eval()

    def name(self, name):
        for pattern, here in NAMES[self.type]:
            name = re.sub(pattern, here, name)
        return name.removeprefix(f"{self.type}.")

    def forward(self, ids, mask=None):
        positions = torch.arange(self.first, self.first + ids.shape[1]).unsqueeze(0)
        x = self.embeddings["word_embeddings"](ids)
        if "token_type_embeddings" in self.embeddings:
            x = x + self.embeddings["token_type_embeddings"](torch.zeros_like(ids))
        x = self.embeddings["LayerNorm"](x + self.embeddings["position_embeddings"](positions))
        for layer in self.layers:
            x = layer(x, mask)
        activation = nn.functional.relu if self.type == "distilbert" else torch.tanh
        return self.head_output(activation(self.head_dense(x[:, 0])))


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
            tensors[name] = torch.from_numpy(values.astype(numpy.float32))
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
