// a browser without a window: pictures of pages, and what it says of them
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'

/** How a page is looked at. */
export interface View {
  readonly name: string
  readonly width: number
  readonly isDark: boolean
}

/** What the page that measures says of another. */
export interface Measured {
  /** By how much the page is wider than its frame. */
  readonly overflow: number
  readonly height: number
  readonly problems: readonly string[]
  /** What was said on the console. */
  readonly console: readonly string[]
}

/** Serves a folder of pages, and the page that measures them, on the loopback address while work lasts. */
export async function servingPages<T>(folder: string, work: (address: string) => Promise<T>): Promise<T> {
  const server = createServer(({ url = '/' }, response) => {
    const name = basename(new URL(url, 'http://localhost').pathname)
    const file = name === 'measurePage.html' ? join(import.meta.dirname, name) : join(folder, name)
    readFile(file).then(
      page => response.setHeader('content-type', 'text/html').end(page),
      () => response.writeHead(404).end(),
    )
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  try {
    return await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  } finally {
    server.close()
  }
}

/** A browser at the addresses of {@link servingPages}. */
export class Browser {
  readonly #program: string
  readonly #address: string

  constructor(program: string, address: string) {
    this.#program = program
    this.#address = address
  }

  async measure(page: string, view: View): Promise<Measured> {
    const { stdout, stderr } = await this.#run(
      view,
      800,
      ['--virtual-time-budget=10000', '--dump-dom'],
      this.#framed(page, view, 800),
    )
    const text = /<pre id="result"[^>]*>([^<]*)<\/pre>/.exec(stdout)?.[1] ?? ''
    if (text === '') throw new Error(`The browser did not measure ${page}:\n${stderr}`)
    const measured = JSON.parse(
      text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'),
    ) as Measured
    return { ...measured, console: said(stderr) }
  }

  /** A picture of a whole page, or of its first so many units. */
  async photograph(page: string, view: View, height: number, file: string): Promise<readonly string[]> {
    const { stderr } = await this.#run(view, height, [`--screenshot=${file}`], this.#framed(page, view, height))
    return said(stderr)
  }

  async print(page: string, file: string): Promise<void> {
    const view = { name: 'print', width: 800, isDark: false }
    await this.#run(view, 800, [`--print-to-pdf=${file}`, '--no-pdf-header-footer'], `${this.#address}/${page}`)
  }

  #framed(page: string, { width }: View, height: number): string {
    return `${this.#address}/measurePage.html?page=${page}&width=${width}&height=${height}`
  }

  #run(
    { width, isDark }: View,
    height: number,
    how: readonly string[],
    address: string,
  ): Promise<{ stdout: string; stderr: string }> {
    const scheme = `--blink-settings=preferredColorScheme=${isDark ? 0 : 1}`
    const window = `--window-size=${Math.max(width, 500)},${height}`
    const always = ['--headless=new', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--enable-logging=stderr']
    return promisify(execFile)(this.#program, [...always, scheme, window, ...how, address], { maxBuffer: 2 ** 27 })
  }
}

function said(stderr: string): string[] {
  return stderr.split('\n').filter(line => line.includes('CONSOLE'))
}
