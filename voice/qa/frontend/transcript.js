/** Words light up while they are heard; a word or a turn's time can be clicked to go there. */
export class Transcript {
  constructor(root, seek) {
    this.turns = [...root.querySelectorAll(".turn")].map((node) => ({ node, start: Number(node.dataset.start), end: Number(node.dataset.end) }));
    this.words = [...root.querySelectorAll(".w")].map((node) => ({ node, start: Number(node.dataset.s), end: Number(node.dataset.e) })).sort((a, b) => a.start - b.start);
    this.word = null;
    this.turn = null;
    root.addEventListener("click", (event) => {
      const word = event.target.closest(".w");
      if (word && !String(getSelection())) seek(Number(word.dataset.s));
    });
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
    if (scroll && turn) turn.node.scrollIntoView({ block: "nearest" });
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
