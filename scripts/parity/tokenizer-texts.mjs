// The texts on which tokenizer.sh compares tokenizers.
import fs from 'node:fs'
import path from 'node:path'
import zlib from 'node:zlib'

/** random returns numbers below n, the same in every run (mulberry32). */
export function random(seed) {
  return n => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % n
  }
}

/** dataTexts yields the data in parts of varied length, at most 2 MB from a file. */
export function* dataTexts(dir) {
  const next = random(1)
  for (const name of fs.readdirSync(dir, { recursive: true }).sort()) {
    if (!/\.(txt|md|jsonl?|inp|out|yaml)(\.gz)?$/.test(name)) continue
    let bytes = fs.readFileSync(path.join(dir, name))
    if (name.endsWith('.gz')) bytes = zlib.gunzipSync(bytes)
    const text = bytes.toString('utf8').slice(0, 2e6)
    for (let i = 0; i < text.length;) {
      const n = [10, 100, 1000, 10000][next(4)] + next(1000)
      yield text.slice(i, i + n).toWellFormed()
      i += n
    }
  }
}

const morsels = [
  ' ', '  ', '   ', '\n', '\n\n', '\r\n', '\t', '\v', '\f', '\0', '\x01', '\x1c', '\x1b[0m', '\x7f', '\u0085', '\u00a0', '\u2028', '\u3000', '\u200b', '\u200d', '\ufeff',
  'the', 'herd', ' Llama', 'HTTPServer', "don't", "WE'LL", "it'ſ", "'s", "'", '0', '12', '345', '６７', '½', '٣', '.', ',', '!?', '...', '//', '/', '_', '-', '==', '<', '>', '|', '{}', '#', '$', '▁', '▁▁', 'Ġ', 'Ċ',
  'é', 'e\u0301', 'o' + '\u0301\u0327'.repeat(20), 'É', 'ß', 'ǅ', 'ʰ', 'ﬁ', 'Å', '\u212b', 'ｶﾞ', '가', '가', 'ㅎ', '中文', '日本語', '。', '「', 'हिन्दी', 'العربية', 'עברית', 'Привет', 'ไทย', '🦙', '👩‍👩‍👧', '🇩🇪', '👍🏽', '𝒜', '\u{10ffff}', '\u{e000}',
  'func main() {\n\tfmt.Println("x")\n}', 'if (a && b) return 0;\n    ', '<0x0A>', '<0xE2>', '</s', '<unk', '<|', '|>',
]

/** mixedTexts yields random joins of morsels, characters and added tokens. */
export function* mixedTexts(count, seed, added) {
  const next = random(seed)
  for (let i = 0; i < count; i++) {
    let text = ''
    for (let n = next(40); n >= 0; n--) {
      const kind = next(12)
      if (kind === 0) text += anyCharacter(next)
      else if (kind < 3 && added.length) text += added[next(added.length)]
      else text += morsels[next(morsels.length)]
    }
    yield text
  }
}

function anyCharacter(next) {
  const c = next(3) ? next(0x3000) : next(0x110000)
  return c >= 0xd800 && c < 0xe000 ? '' : String.fromCodePoint(c)
}

/**
 * allCharacters yields every character of Unicode, each between others; of the
 * planes that are empty or private, every hundredth.
 */
export function* allCharacters() {
  let text = ''
  for (let c = 0; c < 0x110000; c++) {
    if (c >= 0xd800 && c < 0xe000) continue
    if (c >= 0x32400 && c % 100 && (c < 0xe0000 || c >= 0xe0200)) continue
    const s = String.fromCodePoint(c)
    text += `a${s}b1${s}2 ${s}${s} '${s}.${s}A${s}`
    if (text.length > 1500) {
      yield text
      text = ''
    }
  }
  yield text
}
