/** The keys of the replay page. */
import { field, remember, remembered } from "./format.js";

/** Space, arrows, Page, Home and End always work; letters can be switched off (WCAG 2.1.4), and never act while one types. */
export function keys({ player, axis, transcript, markers, review, comments, decisions, openWhy, duration }) {
  const letters = field("letters"), form = field("review-form");
  const apply = () => document.body.classList.toggle("letters-off", !letters.checked);
  letters.checked = remembered("letters") !== "off";
  letters.addEventListener("change", () => {
    remember("letters", letters.checked ? "on" : "off");
    apply();
  });
  apply();
  let mark = null;
  const turn = (direction) => {
    const t = transcript.neighbour(player.now, direction);
    if (t !== null) player.seek(t);
  };
  const select = (name, step) => {
    const list = field(name);
    list.selectedIndex = (list.selectedIndex + step + list.options.length) % list.options.length;
    list.dispatchEvent(new Event("change"));
  };
  const moves = {
    ArrowLeft: () => player.seek(player.now - 5), ArrowRight: () => player.seek(player.now + 5),
    PageUp: () => player.seek(player.now - 10), PageDown: () => player.seek(player.now + 10),
    Home: () => player.seek(0), End: () => player.seek(duration), " ": () => player.toggle(),
  };
  const letterMoves = {
    j: () => turn(1), k: () => turn(-1), n: () => markers.step(player.now, 1), p: () => markers.step(player.now, -1),
    d: () => {
      const next = decisions.find((x) => Number(x.dataset.start) > player.now + 0.05) || decisions[0];
      if (!next) return;
      player.seek(Number(next.dataset.start));
      openWhy(next.id.slice(4));
    },
    "[": () => { mark = player.now; axis.mark(mark, mark); },
    "]": () => axis.mark(mark ?? 0, player.now),
    r: () => { field("review")?.scrollIntoView(); (document.querySelector("#reviewer:not([type=hidden])") || document.querySelector("#verdicts input"))?.focus(); },
    ...Object.fromEntries([1, 2, 3, 4, 5].map((n) => [n, () => review?.answer(n)])),
    g: () => review?.verdict("good"), m: () => review?.verdict("mixed"), b: () => review?.verdict("bad"), u: () => review?.takeBack(),
    e: () => transcript.turn?.node.querySelector(".correct")?.click(), t: () => comments?.begin(),
    a: () => field("range-add")?.click(), c: () => { field("review")?.scrollIntoView(); field("comment")?.focus(); },
    s: () => select("speed", 1), l: () => select("line", 1),
    "+": () => axis.zoom(0.5, player.now), "=": () => axis.zoom(0.5, player.now), "-": () => axis.zoom(2, player.now), 0: () => axis.show(0, duration),
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && form) {
      event.preventDefault();
      form.requestSubmit();
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const within = event.target;
    // a radio button needs its arrows and Space; letters pass, so that one can answer and listen on
    const choosing = within.matches("input[type=radio]") && (event.key === " " || event.key.startsWith("Arrow"));
    const typing = choosing || within.matches("input:not([type=checkbox], [type=radio]), select, textarea");
    if (typing || (event.key === " " && within.closest("button, summary, input, a"))) return;
    const move = moves[event.key] || (letters.checked && letterMoves[event.key]);
    if (!move) return;
    event.preventDefault();
    move();
    axis.follow(player.now);
  });
}
