// Two texts, compared word by word: what stayed, went and came.

const MOST_CELLS = 4_000_000;

function splitWords(text) {
  return text.match(/\s+|[\p{L}\p{N}_]+(?:[.,'’][\p{L}\p{N}_]+)*|[^\s\p{L}\p{N}_]/gu) || [];
}

// Returns [[kind, text], …], kind "=", "-" or "+". Beyond the bound, what lies between the common ends is one change.
function compareWords(before, after) {
  const old = splitWords(before), fresh = splitWords(after);
  let start = 0, end = 0;
  while (start < old.length && start < fresh.length && old[start] === fresh[start]) start++;
  while (end < old.length - start && end < fresh.length - start
    && old[old.length - 1 - end] === fresh[fresh.length - 1 - end]) end++;
  const left = old.slice(start, old.length - end), right = fresh.slice(start, fresh.length - end);
  const moves = [["=", old.slice(0, start).join("")]];
  if (left.length * right.length > MOST_CELLS) moves.push(["-", left.join("")], ["+", right.join("")]);
  else moves.push(...longestCommon(left, right));
  moves.push(["=", old.slice(old.length - end).join("")]);
  return joined(moves);
}

function longestCommon(left, right) {
  const width = right.length + 1, lengths = new Uint16Array((left.length + 1) * width);
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      lengths[i * width + j] = left[i] === right[j]
        ? lengths[(i + 1) * width + j + 1] + 1
        : Math.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
    }
  }
  const moves = [];
  let i = 0, j = 0;
  while (i < left.length && j < right.length) {
    if (left[i] === right[j]) moves.push(["=", left[i++]]), j++;
    else if (lengths[(i + 1) * width + j] >= lengths[i * width + j + 1]) moves.push(["-", left[i++]]);
    else moves.push(["+", right[j++]]);
  }
  while (i < left.length) moves.push(["-", left[i++]]);
  while (j < right.length) moves.push(["+", right[j++]]);
  return moves;
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

// In one text; of texts that share little, side by side, where each can be read.
function wordDifference(before, after) {
  const parts = compareWords(before, after);
  const kept = parts.reduce((sum, [kind, text]) => sum + (kind === "=" ? text.length : 0), 0);
  if (kept >= LEAST_KEPT * Math.max(before.length, after.length)) {
    return make("p", { class: "words" }, ...parts.map(([kind, text]) =>
      make(MARKS[kind], {}, kind === "=" ? abridged(prose(text)) : prose(text))));
  }
  return make("div", { class: "texts" }, ...["-", "+"].map((side) => make("p", {}, ...oneSide(parts, side))));
}

const oneSide = (parts, side) => parts.filter(([kind]) => kind === "=" || kind === side)
  .map(([kind, text]) => make(MARKS[kind], {}, prose(text)));

// Of a long stretch that stayed, the ends are enough.
function abridged(text) {
  if (text.length <= 900) return text;
  return `${text.slice(0, 400)} […] ${text.slice(-400)}`;
}
