// tokenizer.sh runs this.
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { Tokenizer } from 'tokenizers'
import { allCharacters, dataTexts, mixedTexts } from './tokenizer-texts.mjs'
import { variants } from './tokenizer-variants.mjs'

const { HERD, DATA, TMP } = process.env
const shown = 5 // differences to print

/** herd runs a tokenizer command on one value per line. */
function herd(command, dir, values, ...flags) {
  const input = values.map(v => JSON.stringify(v) + '\n').join('')
  const out = execFileSync(HERD, ['tokenizer', command, '--model', dir, '--lines', ...flags], { input, maxBuffer: 2 ** 31 })
  return out.toString().trimEnd().split('\n').map(line => JSON.parse(line))
}

/** compare counts the texts that differ, in ids or after decoding. */
async function compare(name, dir, peer, texts) {
  const ours = herd('encode', dir, texts, '--special')
  const theirs = []
  for (const text of texts) theirs.push((await peer.encode(text, null, { addSpecialTokens: false })).getIds())
  const decoded = herd('decode', dir, theirs)
  let ids = 0, decodes = 0
  for (let i = 0; i < texts.length; i++) {
    if (ours[i].join() !== theirs[i].join()) {
      if (ids++ < shown) explain(name, texts[i], ours[i], theirs[i])
      continue
    }
    const want = await peer.decode(theirs[i], false)
    if (want !== decoded[i] && !want.includes('\ufffd') && decodes++ < shown) console.log(`  decoded: ${JSON.stringify(decoded[i]).slice(0, 300)}\n  theirs:  ${JSON.stringify(want).slice(0, 300)}`)
  }
  return { ids, decodes }
}

/** explain prints a difference from its first token on. */
function explain(name, text, ours, theirs) {
  let i = 0
  while (ours[i] === theirs[i]) i++
  console.log(`  ${name}: ${JSON.stringify(text).slice(0, 200)} at token ${i}: ${ours.slice(i, i + 8)}, theirs ${theirs.slice(i, i + 8)}`)
}

/** trained returns a vocabulary that herd trains. */
function trained(texts) {
  fs.writeFileSync(path.join(TMP, 'corpus.jsonl'), texts.map(text => JSON.stringify({ text }) + '\n').join(''))
  execFileSync(HERD, ['data', 'import', path.join(TMP, 'corpus.jsonl'), '--out', path.join(TMP, 'corpus.arrow')])
  execFileSync(HERD, ['tokenizer', 'train', '--data', path.join(TMP, 'corpus.arrow'), '--vocab-size', '4096', '--out', path.join(TMP, 'trained')])
  return JSON.parse(fs.readFileSync(path.join(TMP, 'trained', 'tokenizer.json')))
}

const data = [...dataTexts(DATA)]
const whole = ['llama2', 'gpt-neo', 'herd'] // compared on all texts, the others on every tenth
const characters = [...allCharacters()]
const all = variants(DATA)
all.herd = trained(data.filter(text => text.trim()).slice(0, 300))
const wanted = process.argv.slice(2)
let failed = false
for (const [name, json] of Object.entries(all)) {
  if (wanted.length && !wanted.includes(name)) continue
  const dir = path.join(TMP, 'of-' + name)
  fs.mkdirSync(dir, { recursive: true })
  fs.writeFileSync(path.join(dir, 'tokenizer.json'), JSON.stringify(json))
  // The files that herd saves are compared too, on the texts with the most pitfalls.
  execFileSync(HERD, ['tokenizer', 'convert', '--model', dir, '--out', dir + '-saved'])
  const peer = Tokenizer.fromFile(path.join(dir, 'tokenizer.json'))
  const saved = Tokenizer.fromFile(path.join(dir + '-saved', 'tokenizer.json'))
  const mixed = [...mixedTexts(3000, 7, json.added_tokens.map(a => a.content))]
  for (const [kind, p, texts] of [['data', peer, data.filter((_, i) => whole.includes(name) || i % 10 === 0)], ['mixed', peer, mixed], ['characters', peer, characters], ['saved', saved, mixed]]) {
    const { ids, decodes } = await compare(name, dir, p, texts)
    console.log(`${name} ${kind}: ${texts.length} texts, ${texts.reduce((n, t) => n + t.length, 0)} characters, ${ids} with different ids, ${decodes} decoded differently`)
    failed ||= ids + decodes > 0
  }
}
process.exitCode = failed ? 1 : 0
