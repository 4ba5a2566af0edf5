import { shortened } from './beginningOf'
import { html, type Html } from './html'

/** More of a name is seen where one points at it. */
const longest = 48

/** The name of a class as a word of its own among others, whatever direction it is written in. */
export function name(text: string): Html {
  if (text.length <= longest) return html`<bdi class="name">${text}</bdi>`
  return html`<bdi class="name" title="${text}">${shortened(text, longest)}</bdi>`
}
