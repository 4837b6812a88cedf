// The tokenizers that tokenizer.sh compares: those of the data, and variants of them.
import fs from 'node:fs'
import path from 'node:path'
import zlib from 'node:zlib'

const clone = value => JSON.parse(JSON.stringify(value))
const regex = source => ({ type: 'Split', pattern: { Regex: source }, behavior: 'Isolated', invert: false })
const byteLevel = useRegex => ({ type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: useRegex })
const sequence = (...pretokenizers) => ({ type: 'Sequence', pretokenizers })
const metaspace = (scheme, split) => ({ type: 'Metaspace', replacement: '▁', prepend_scheme: scheme, split })
const digits = one => ({ type: 'Digits', individual_digits: one })

const llama3 = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
const upper = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]'
const lower = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]'
const front = '[^\\r\\n\\p{L}\\p{N}]?'
const o200k = (suffix, number) => `${front}${upper}*${lower}+${suffix}|${front}${upper}+${lower}*${suffix}|${number}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`
const deepseekLLM = ['[\r\n]', '\\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-Ֆ]+', '\\s?[!-/:-~！-／：-～‘-‟　-。]+', '\\s+$', '[一-龥ࠀ-一가-퟿]+']

/** flags are added tokens of each kind. */
function flags(first) {
  const kinds = [{}, { lstrip: true }, { rstrip: true }, { lstrip: true, rstrip: true }, { single_word: true }, { normalized: true }, { normalized: true, single_word: true, special: false }, { special: false, rstrip: true }]
  const names = ['<|plain|>', '<|left|>', '<|right|>', '<|both|>', 'wörd', ' né', 'nörm', '\n\n\n']
  return kinds.map((kind, i) => ({ id: first + i, content: names[i], single_word: false, lstrip: false, rstrip: false, normalized: false, special: true, ...kind }))
}

/** variants returns tokenizer.json by name. */
export function variants(data) {
  const read = name => JSON.parse(zlib.gunzipSync(fs.readFileSync(path.join(data, 'tokenizer', name))))
  const llama2 = read('llama2-tokenizer.json.gz')
  const neo = read('gpt-neo-tokenizer.json.gz')
  const all = { llama2, 'gpt-neo': neo }
  const add = (name, base, change) => { all[name] = clone(base); change(all[name]) }

  add('llama2-raw-specials', llama2, t => t.added_tokens.forEach(a => { a.normalized = false }))
  for (const scheme of ['first', 'always', 'never']) {
    for (const split of [false, true]) {
      add(`llama2-${scheme}${split ? '-split' : ''}`, llama2, t => {
        t.normalizer = null
        t.pre_tokenizer = metaspace(scheme, split)
        if (scheme === 'never') t.decoder.decoders.pop()
        t.added_tokens.forEach(a => { a.normalized = split })
      })
    }
  }
  add('gemma', llama2, t => {
    t.normalizer = t.normalizer.normalizers[1]
    t.pre_tokenizer = { type: 'Split', pattern: { String: ' ' }, behavior: 'MergedWithPrevious', invert: false }
    t.decoder.decoders.pop()
  })
  add('llama2-nfkc-flags', llama2, t => {
    t.normalizer.normalizers.unshift({ type: 'NFKC' })
    t.added_tokens.push(...flags(32003))
  })
  add('llama2-no-bytes', llama2, t => { t.model.byte_fallback = false })
  add('llama2-unfused', llama2, t => { t.model.byte_fallback = false; t.model.fuse_unk = false })
  add('neo-flags', neo, t => t.added_tokens.push(...flags(50280)))

  const patterns = {
    'llama3': [regex(llama3)],
    'qwen2': [regex(llama3.replace('{1,3}', ''))],
    'starcoder': [digits(true)],
    'digits': [digits(false)],
    'o200k': [regex(o200k("(?i:'s|'t|'re|'ve|'m|'ll|'d)?", '\\p{N}{1,3}'))],
    'tekken': [regex(o200k('', '\\p{N}'))],
    'deepseek-coder': ['[\r\n]', '\\s?\\p{L}+', '\\s?\\p{P}+', '[一-龥ࠀ-一가-퟿]+'].map(regex).concat(digits(true)),
    'deepseek-llm': deepseekLLM.map(regex).concat(digits(true)),
  }
  for (const [name, steps] of Object.entries(patterns)) {
    add(name, neo, t => {
      t.normalizer = name === 'qwen2' ? { type: 'NFC' } : null
      t.pre_tokenizer = sequence(...steps, byteLevel(['starcoder', 'digits'].includes(name)))
    })
  }
  add('whole', neo, t => { t.normalizer = null; t.pre_tokenizer = byteLevel(false) })
  add('ignore-merges', all.llama3, t => { t.model.ignore_merges = true })
  for (const form of ['NFD', 'NFKC', 'NFKD']) add(form.toLowerCase(), neo, t => { t.normalizer = { type: form } })
  return all
}
