// Two texts, compared word by word over their whole length: what stayed, went and came.

const MOST_CELLS = 250_000_000;
// A table of so many cells is filled at once; a larger problem is parted first, so that memory stays linear.
const TABLE_CELLS = 1_000_000;

const splitWords = (text) => text.match(/\s+|[\p{L}\p{N}_]+(?:[.,'’][\p{L}\p{N}_]+)*|[^\s\p{L}\p{N}_]/gu) || [];
const splitSentences = (text) => text.match(/[^.!?\n]*(?:[.!?]+\s*|\n+)|[^.!?\n]+$/gu) || [];

// Returns [[kind, text], …], kind "=", "-" or "+". What is too long for words is aligned by sentences.
function compareWords(before, after) {
  let old = splitWords(before), fresh = splitWords(after);
  if (old.length * fresh.length > MOST_CELLS) [old, fresh] = [splitSentences(before), splitSentences(after)];
  const numbers = new Map(), numbered = (words) => Int32Array.from(words, (one) => {
    if (!numbers.has(one)) numbers.set(one, numbers.size);
    return numbers.get(one);
  });
  const moves = [], left = numbered(old), right = numbered(fresh);
  align(left, 0, left.length, right, 0, right.length, (kind, place) => moves.push([kind, kind === "+" ? fresh[place] : old[place]]));
  return joined(moves);
}

// Aligns a[from…to] with b[start…end] by a longest common subsequence, in memory that grows with their lengths only.
function align(a, from, to, b, start, end, put) {
  while (from < to && start < end && a[from] === b[start]) put("=", from++), start++;
  let tail = 0;
  while (from < to - tail && start < end - tail && a[to - 1 - tail] === b[end - 1 - tail]) tail++;
  const last = to - tail, stop = end - tail;
  if (from === last) for (let j = start; j < stop; j++) put("+", j);
  else if (start === stop) for (let i = from; i < last; i++) put("-", i);
  else if ((last - from) * (stop - start) <= TABLE_CELLS) alignByTable(a, from, last, b, start, stop, put);
  else {
    const middle = (from + last) >> 1;
    const heads = commonLengths(a, from, middle, b, start, stop, 1), tails = commonLengths(a, middle, last, b, start, stop, -1);
    let best = 0;
    for (let j = 0; j <= stop - start; j++) if (heads[j] + tails[stop - start - j] > heads[best] + tails[stop - start - best]) best = j;
    align(a, from, middle, b, start, start + best, put);
    align(a, middle, last, b, start + best, stop, put);
  }
  for (let i = to - tail; i < to; i++) put("=", i);
}

// How much a[from…to] has in common with the first 0, 1, … words of b[start…end]; by = -1 reads both from the end.
function commonLengths(a, from, to, b, start, end, by) {
  const size = end - start;
  let row = new Uint32Array(size + 1), above = new Uint32Array(size + 1);
  for (let step = 0; step < to - from; step++) {
    [row, above] = [above, row];
    const one = by > 0 ? a[from + step] : a[to - 1 - step];
    for (let j = 1; j <= size; j++) {
      const same = one === (by > 0 ? b[start + j - 1] : b[end - j]);
      row[j] = same ? above[j - 1] + 1 : Math.max(above[j], row[j - 1]);
    }
  }
  return row;
}

function alignByTable(a, from, to, b, start, end, put) {
  const width = end - start + 1, lengths = new Uint32Array((to - from + 1) * width);
  for (let i = to - from - 1; i >= 0; i--) {
    for (let j = end - start - 1; j >= 0; j--) {
      lengths[i * width + j] = a[from + i] === b[start + j]
        ? lengths[(i + 1) * width + j + 1] + 1
        : Math.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
    }
  }
  let i = 0, j = 0;
  while (from + i < to && start + j < end) {
    if (a[from + i] === b[start + j]) put("=", from + i++), j++;
    else if (lengths[(i + 1) * width + j] >= lengths[i * width + j + 1]) put("-", from + i++);
    else put("+", start + j++);
  }
  while (from + i < to) put("-", from + i++);
  while (start + j < end) put("+", start + j++);
}

// Joins neighbours of one kind; a blank that stayed between two changes belongs to both, so that phrases stay whole.
function joined(moves) {
  const parts = [];
  let went = "", came = "";
  const flush = () => {
    if (went) parts.push(["-", went]);
    if (came) parts.push(["+", came]);
    went = came = "";
  };
  moves.forEach(([kind, text], at) => {
    const next = moves[at + 1];
    if (kind === "-") went += text;
    else if (kind === "+") came += text;
    else if (went && came && /^[^\S\n]+$/.test(text) && next && next[0] !== "=") went += text, came += text;
    else if (text) {
      flush();
      const last = parts[parts.length - 1];
      if (last && last[0] === "=") last[1] += text;
      else parts.push(["=", text]);
    }
  });
  flush();
  return parts;
}

const MARKS = { "=": "span", "-": "del", "+": "ins" };
const LEAST_KEPT = 0.4;
// Of a longer stretch that stayed, so much is shown at each end; the rest is folded, and counted.
const FOLD_ABOVE = 700, FOLD_KEEPS = 250;
const CHOOSE_ABOVE = 300;

// Two texts: inline, or side by side where they share little; a reader of long ones may choose, for all texts.
function wordDifference(before, after) {
  const parts = compareWords(before, after);
  const kept = parts.reduce((sum, [kind, text]) => sum + (kind === "=" ? text.length : 0), 0);
  const fitting = kept >= LEAST_KEPT * Math.max(before.length, after.length) ? "inline" : "beside";
  const long = Math.max(before.length, after.length) > CHOOSE_ABOVE;
  const box = make("div", { class: "compared" });
  const choose = (way) => {
    storage.set("dealsnap:texts", way);
    document.querySelectorAll(".compared.long").forEach((one) => one.draw(way));
  };
  const button = (way, text, now) => make("button", { type: "button", class: "quiet small", "aria-pressed": String(way === now), "data-way": way, onclick: () => choose(way) }, text);
  box.draw = (way) => box.replaceChildren(
    ...(long ? [make("p", { class: "ways" }, button("inline", "Inline", way), button("beside", "Side by side", way))] : []),
    way === "inline" ? inline(parts) : beside(parts));
  if (long) box.classList.add("long");
  const wish = long ? storage.get("dealsnap:texts") : null;
  box.draw(["inline", "beside"].includes(wish) ? wish : fitting);
  return box;
}

// The ends of a text that stayed, and what is folded between them; nothing where it is short.
function foldOf(text) {
  if (text.length <= FOLD_ABOVE) return null;
  const head = text.slice(0, FOLD_KEEPS).replace(/(?<=\s)\S*$/u, ""), tail = text.slice(-FOLD_KEEPS).replace(/^\S*(?=\s)/u, "");
  return [head, text.slice(head.length, text.length - tail.length), tail];
}

const foldButton = (text, open) => make("button", { type: "button", class: "fold", title: "Show it", onclick: (event) => open(event.target) },
  `… ${text.length.toLocaleString("en")} characters alike …`);

function inline(parts) {
  const nodes = parts.flatMap(([kind, text]) => {
    const fold = kind === "=" ? foldOf(text) : null;
    if (!fold) return [make(MARKS[kind], {}, prose(text))];
    const [head, hidden, tail] = fold;
    return [prose(head), foldButton(hidden, (button) => button.replaceWith(prose(hidden))), prose(tail)];
  });
  return make("div", { class: "words" }, ...nodes);
}

// Rows of two columns: a line that stayed stands beside itself.
function beside(parts) {
  const table = make("div", { class: "beside" });
  let left = [], right = [];
  const flush = () => {
    if (left.length || right.length) table.append(make("p", {}, ...left), make("p", {}, ...right));
    left = [], right = [];
  };
  const stayed = (text) => text.split(/(?<=\n)/).forEach((line) => {
    left.push(prose(line)), right.push(prose(line));
    if (line.endsWith("\n")) flush();
  });
  for (const [kind, text] of parts) {
    const fold = kind === "=" ? foldOf(text) : null;
    if (kind === "-") left.push(make("del", {}, prose(text)));
    else if (kind === "+") right.push(make("ins", {}, prose(text)));
    else if (!fold) stayed(text);
    else {
      stayed(fold[0]);
      flush();
      table.append(make("p", { class: "both" }, foldButton(fold[1], (button) => {
        const line = button.parentNode;
        line.after(make("p", {}, prose(fold[1])), make("p", {}, prose(fold[1])));
        line.remove();
      })));
      stayed(fold[2]);
    }
  }
  flush();
  return table;
}

const oneSide = (parts, side) => parts.filter(([kind]) => kind === "=" || kind === side)
  .map(([kind, text]) => make(MARKS[kind], {}, prose(text)));
