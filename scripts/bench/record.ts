import { existsSync, readFileSync, writeFileSync } from 'node:fs'

/** Puts lines into a Markdown file as the section of that title, in place of an older one, else at the end. */
export function recordSection(path: string, title: string, lines: readonly string[]): void {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
  writeFileSync(path, withSection(text, title, lines))
}

/** The text with the section in it. A section ends at the next heading outside a fence. */
export function withSection(text: string, title: string, lines: readonly string[]): string {
  const heading = `### ${title}`
  const section = [heading, '', '```', ...lines.join('\n').trim().split('\n'), '```']
  const all = text.trimEnd().split('\n')
  const start = all.indexOf(heading)
  if (start < 0) return `${[...all, '', ...section].join('\n').trimStart()}\n`
  let end = start + 1
  let fenced = false
  for (; end < all.length && (fenced || !/^#{1,3} /.test(all[end]!)); end++)
    if (all[end]!.startsWith('```')) fenced = !fenced
  const rest = all.slice(end)
  return `${[...all.slice(0, start), ...section, ...(rest.length === 0 ? [] : ['', ...rest])].join('\n')}\n`
}
