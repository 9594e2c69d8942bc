/** Words light up while they are heard; a word or a turn's time can be clicked to go there. */
export class Transcript {
  constructor(root, seek) {
    this.root = root;
    this.turns = [...root.querySelectorAll(".turn")].map((node) => ({ node, start: Number(node.dataset.start), end: Number(node.dataset.end) }));
    this.words = [...root.querySelectorAll(".w")].map((node) => ({ node, start: Number(node.dataset.s), end: Number(node.dataset.e) })).sort((a, b) => a.start - b.start);
    this.word = null;
    this.turn = null;
    root.addEventListener("click", (event) => {
      const word = event.target.closest(".w");
      if (word && !String(getSelection())) seek(Number(word.dataset.s));
    });
  }

  /** The turn that is heard, or was heard last. */
  get current() {
    return this.turn ? this.described(this.turn.node) : null;
  }

  described(node) {
    const who = [...node.classList].find((c) => c.startsWith("who-")).slice(4);
    return { seq: Number(node.dataset.seq), start: Number(node.dataset.start), end: Number(node.dataset.end), who, text: node.querySelector("p").textContent.trim().replace(/\s+/g, " ") };
  }

  /** Times that were measured, by turn: [{ seq, words: [[start, end], …] }]. */
  retime(turns) {
    for (const { seq, words } of turns) {
      const nodes = this.root.querySelectorAll(`.turn[data-seq="${seq}"] .w`);
      if (nodes.length !== words.length) continue;
      nodes.forEach((node, i) => {
        [node.dataset.s, node.dataset.e] = words[i];
      });
    }
    for (const word of this.words) {
      word.start = Number(word.node.dataset.s);
      word.end = Number(word.node.dataset.e);
    }
    this.words.sort((a, b) => a.start - b.start);
  }

  show(t, scroll) {
    const word = within(this.words, t);
    if (word !== this.word) {
      this.word?.node.classList.remove("now");
      word?.node.classList.add("now");
      this.word = word;
    }
    const turn = within(this.turns, t);
    if (turn !== this.turn) {
      this.turn?.node.classList.remove("now");
      this.turn?.node.removeAttribute("aria-current");
      turn?.node.classList.add("now");
      turn?.node.setAttribute("aria-current", "true");
      this.turn = turn;
    }
    if (scroll && turn) this.#keepInView(turn.node);
  }

  /** Scrolls the list alone: the page must not run away under a reader while it plays. */
  #keepInView(node) {
    const list = this.root.getBoundingClientRect(), item = node.getBoundingClientRect();
    if (item.top < list.top) this.root.scrollTop -= list.top - item.top + 8;
    else if (item.bottom > list.bottom) this.root.scrollTop += item.bottom - list.bottom + 40;
  }

  /** Start of the first word, or else turn, that holds what was searched for. */
  find(text) {
    const wanted = text.toLowerCase().match(/[\p{L}\p{N}]+/gu);
    if (!wanted) return null;
    const turn = this.turns.find((x) => wanted.every((w) => x.node.textContent.toLowerCase().includes(w)));
    if (!turn) return null;
    const word = this.words.find((x) => turn.node.contains(x.node) && x.node.textContent.toLowerCase().includes(wanted[0]));
    return (word || turn).start;
  }

  /** Start of the next (1) or previous (-1) turn. */
  neighbour(t, direction) {
    const found = direction > 0 ? this.turns.find((x) => x.start > t + 0.05) : this.turns.findLast((x) => x.start < t - 0.7);
    return found ? found.start : null;
  }
}

/** The latest item that has begun and not ended. Items are sorted by start; overlaps are short, so a few steps back suffice. */
function within(items, t) {
  let low = 0, high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (items[middle].start <= t) low = middle + 1; else high = middle;
  }
  for (let i = low - 1; i >= 0 && i > low - 6; i--) if (t < items[i].end) return items[i];
  return null;
}
