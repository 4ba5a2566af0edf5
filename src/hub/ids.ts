// what an id of the Hub is, and what to do about what is none

/** Whether a text can be an id: NAME, or ORGANIZATION/NAME. */
export function isRepositoryId(text: string): boolean {
  return text.length <= 96 && /^[\w-][\w.-]*(\/[\w-][\w.-]*)?$/.test(text) && !/--|\.\.|\.$|\.git$/.test(text)
}

/** What to write in place of a text that was meant as an id: the id in an address; undefined where it may be a path. */
export function idAdvice(text: string): string | undefined {
  const address = /^(?:https?:\/\/[^/]+|hf:\/)\/(?:(?:api\/)?(?:models|datasets)\/)?(.*)$/i.exec(text)?.[1]
  if (address !== undefined) {
    const id = address
      .replace(/[?#@].*/s, '')
      .split('/')
      .slice(0, 2)
      .join('/')
    return isRepositoryId(id) ? `Give its id: '${id}'.` : 'Give the id: ORGANIZATION/NAME.'
  }
  if (!/^[\w-][\w.-]*(\/[\w-][\w.-]*){2,}$/.test(text)) return undefined
  return 'Check the path. (An id of the Hub has one slash: ORGANIZATION/NAME.)'
}

/** What a whole id looks like, for an id without an organization that the Hub does not have. */
export function wholeIdAdvice(kind: 'model' | 'dataset', id: string): string {
  if (id.includes('/')) return ''
  const example = kind === 'model' ? 'google-bert/bert-base-uncased' : 'nyu-mll/glue'
  return ` Most ${kind}s have ids such as ${example}: ORGANIZATION/NAME.`
}
