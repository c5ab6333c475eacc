// Everything that reaches the page goes through here, and as text: nothing a sender writes is markup.

export const byId = (id) => document.getElementById(id)

export function make(tag, { className, text, ...attributes } = {}, ...children) {
  const element = document.createElement(tag)
  if (className) element.className = className
  if (text !== undefined) element.textContent = text
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.append(...children)
  return element
}

/** Writes only what changed, so that selections, focus and readers stay undisturbed. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text
}

// Told apart at a glance; red and what is near it are left for failures.
const kHues = [255, 185, 310, 75, 225, 345, 125, 285]

export function colour(element, thread) {
  element.dataset.thread = thread
  element.style.setProperty('--hue', kHues[(thread - 1) % kHues.length])
  return element
}

export const threadName = (thread) =>
  colour(make('span', { className: 'thread-name', text: `thread ${thread}` }), thread)

export const plural = (count, noun) =>
  `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`

export function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
}
