import { byId, setText } from './dom.js'

const kTypingEveryMs = 3000
const kTypingForMs = 4500
const kTellLeft = 150

/** Calls `onSay(text)` and, now and then while somebody writes, `onTyping()`. */
export function startComposer({ onSay, onTyping }) {
  const form = byId('composer')
  const text = byId('text')
  let toldAt = -Infinity

  const fit = () => {
    text.style.height = 'auto'
    text.style.height = `${text.scrollHeight + 2}px`
    const left = text.maxLength - text.value.length
    setText(byId('left'), left > kTellLeft ? '' : `${left} characters left`)
  }
  text.addEventListener('input', () => {
    fit()
    if (text.value.trim() === '' || performance.now() - toldAt < kTypingEveryMs) return
    toldAt = performance.now()
    onTyping()
  })
  text.addEventListener('keydown', (event) => {
    // Enter also ends what an input method composes.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
    event.preventDefault()
    form.requestSubmit()
  })
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    if (text.value.trim() !== '') onSay(text.value.trim())
    text.value = ''
    fit()
    text.focus()
  })
}

const typing = new Map()

export function showTyping(person, name) {
  clearTimeout(typing.get(person)?.timer)
  typing.set(person, { name, timer: setTimeout(() => hideTyping(person), kTypingForMs) })
  showTypists()
}

export function hideTyping(person) {
  clearTimeout(typing.get(person)?.timer)
  typing.delete(person)
  showTypists()
}

function showTypists() {
  const names = [...typing.values()].map(({ name }) => name)
  const [one, two] = names
  const texts = ['', `${one} is writing…`, `${one} and ${two} are writing…`]
  setText(byId('typing'), texts[names.length] ?? 'Several people are writing…')
}
