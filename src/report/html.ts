/** Markup, which a template takes as it is. */
export class Html {
  readonly markup: string

  constructor(markup: string) {
    this.markup = markup
  }
}

/** What may stand in a template: texts and numbers, which are escaped, markup, lists of these, and nothing. */
export type Content = Html | string | number | false | undefined | readonly Content[]

/**
 * A template of markup. What is put into it is escaped, in texts and between the quotes of an attribute alike, unless it is
 * markup itself.
 * @example
 * html`<p title="${'"a" < b'}">${html`<b>${'<script>'}</b>`}</p>` // <p title="&quot;a&quot; &lt; b"><b>&lt;script&gt;</b></p>
 */
export function html(strings: TemplateStringsArray, ...contents: readonly Content[]): Html {
  return new Html(strings.reduce((markup, string, at) => `${markup}${markupOf(contents[at - 1])}${string}`))
}

function markupOf(content: Content): string {
  if (content === undefined || content === false) return ''
  if (content instanceof Html) return content.markup
  if (Array.isArray(content)) return (content as readonly Content[]).map(markupOf).join('')
  return escaped(visible(String(content as string | number)))
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, character => entities[character]!)
}

/** Controls but line breaks and tabs, marks that turn the direction of what follows, and halves of a character. */
const unseen =
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/**
 * A text whose control characters can be seen: NUL as `[U+0000]`, and so what would turn the direction of the text around
 * it. Line breaks and tabs stay.
 */
export function visible(text: string): string {
  const codeOf = (character: string): string => character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')
  return text.replaceAll('\r\n', '\n').replace(unseen, character => `[U+${codeOf(character)}]`)
}
