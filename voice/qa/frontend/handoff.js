/** The human's context page: captions and state as they are committed; the buttons without leaving the page. */
import { clock, element, plain } from "./format.js";

const article = document.getElementById("handoff");
const lines = document.getElementById("lines");
const told = document.getElementById("told");
const accept = document.getElementById("accept");
const decline = document.getElementById("decline");
const known = new Set([...lines.querySelectorAll("[data-seq]")].map((n) => Number(n.dataset.seq)));

const source = new EventSource(article.dataset.events);
source.addEventListener("line", (event) => {
  const line = JSON.parse(event.data);
  if (known.has(line.seq)) return;
  known.add(line.seq);
  const who = line.who === "caller" ? "Caller:" : "Agent:";
  lines.append(element("li", { "data-seq": line.seq }, element("span", { class: "dim num" }, clock(line.start)), " ", element("strong", {}, who), " ", element("span", { dir: "auto" }, plain(line.text))));
});
source.addEventListener("briefing", (event) => {
  document.getElementById("summary").textContent = plain(JSON.parse(event.data).text);
});
source.addEventListener("state", (event) => {
  const f = JSON.parse(event.data);
  document.getElementById("state").textContent = f.state.toLowerCase();
  accept.disabled = decline.disabled = !f.accept;
  accept.textContent = f.accept || (f.state === "DIALLING" || f.state === "ANSWERED" ? "Answer the telephone first" : "Take the caller");
  if (f.state === "BRIDGED") {
    told.textContent = "The caller is on the line with you.";
    source.close();
  }
});
// The server ends the stream when the attempt or the call is over, and then knows this page no more.
source.addEventListener("error", () => {
  if (source.readyState === EventSource.CLOSED) accept.disabled = decline.disabled = true;
});

for (const button of [accept, decline]) {
  button.addEventListener("click", async (event) => {
    event.preventDefault();
    const url = button.getAttribute("formaction") || button.form.getAttribute("action");
    const answer = await fetch(url, { method: "POST", headers: { Accept: "application/json" } });
    const said = await answer.json();
    told.textContent = answer.ok ? (button === accept ? "Done." : "Declined. The next person is called.") : said.detail;
  });
}
article.dataset.ready = "yes";
