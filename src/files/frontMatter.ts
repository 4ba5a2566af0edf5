/**
 * The YAML at the beginning of a README.md, between two lines of `---`; undefined where there is none. The Hub and
 * huggingface_hub find it by the same rule; two such lines further down are rules across the page.
 */
export function frontMatterOf(text: string): string | undefined {
  return /^\s*---[ \t]*(?:\r\n|\r|\n)((?:[^]*?(?:\r\n|\r|\n))??)---[ \t]*(?:\r|\n|$)/.exec(text)?.[1]
}
