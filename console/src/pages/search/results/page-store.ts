/** Pages that are kept. */
const MOST_PAGES = 40
/** While somebody scrolls fast, rows that pass by are not read. */
const CALM_MS = 60

/** Some of the rows. It may be short: the server limits its bytes. */
export interface RowPage<Row> {
  readonly rows: readonly Row[]
  /** Where the row after it is found, if the server says so. */
  readonly next?: string | null
}

interface StoredPage<Row> extends RowPage<Row> {
  readonly first: number
}

interface Wanted {
  readonly first: number
  readonly limit: number
  /** `next` of the page that ends before `first`, if that one is kept. */
  readonly after: string | undefined
  readonly signal: AbortSignal
}

interface PageStoreOptions<Row> {
  /** Number of all rows. */
  readonly count: number
  /** Rows that one call reads. */
  readonly pageSize: number
  /** The first rows, if they are known. */
  readonly start?: RowPage<Row>
  read(wanted: Wanted): Promise<RowPage<Row>>
}

/** Rows of which only pages are in memory, the last used at the end. */
export class PageStore<Row> {
  readonly #options: PageStoreOptions<Row>
  #pages: StoredPage<Row>[] = []
  #reading: { readonly first: number; readonly stop: AbortController } | undefined
  #wanted: { readonly first: number; readonly last: number } | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #hasFailed = false
  onChange: () => void = () => {}
  onError: (error: unknown) => void = () => {}

  constructor(options: PageStoreOptions<Row>) {
    this.#options = options
    if (options.start) this.#pages = [{ first: 0, ...options.start }]
  }

  row(index: number): Row | undefined {
    const page = this.#pageOf(index)
    return page?.rows[index - page.first]
  }

  /** These rows are in view: they are read. */
  want(first: number, last: number): void {
    const { count, pageSize } = this.#options
    this.#wanted = { first, last: Math.min(last, count - 1) }
    const missing = this.#missing()
    if (missing === undefined || this.#hasFailed) return
    const isWanted = this.#reading && this.#reading.first <= last && this.#reading.first + pageSize > first
    if (isWanted) return
    this.stop()
    this.#timer = setTimeout(() => void this.#read(), this.#pages.length === 0 ? 0 : CALM_MS)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#reading?.stop.abort()
    this.#reading = undefined
  }

  #pageOf(index: number): StoredPage<Row> | undefined {
    return this.#pages.findLast(({ first, rows }) => first <= index && index < first + rows.length)
  }

  /** The first row in view that has not been read. */
  #missing(): number | undefined {
    if (!this.#wanted) return undefined
    const { first, last } = this.#wanted
    for (let index = first; index <= last; index++) if (!this.#pageOf(index)) return index
    return undefined
  }

  async #read(): Promise<void> {
    const row = this.#missing()
    if (row === undefined) return
    const { pageSize } = this.#options
    // From the beginning of its page, so that scrolling up finds what is before it; unless a short page ended here.
    const begin = Math.floor(row / pageSize) * pageSize
    const first = this.#pageOf(begin) ? row : begin
    const reading = { first, stop: new AbortController() }
    this.#reading = reading
    const after = this.#pages.findLast((page) => page.first + page.rows.length === first)?.next ?? undefined
    try {
      const limit = pageSize - (first - begin)
      const page = await this.#options.read({ first, limit, after, signal: reading.stop.signal })
      if (this.#reading !== reading) return
      this.#reading = undefined
      this.#pages = [...this.#pages.slice(-(MOST_PAGES - 1)), { first, ...page }]
      this.onChange()
      if (page.rows.length > 0 && this.#missing() !== undefined) void this.#read()
    } catch (error) {
      if (this.#reading !== reading) return
      this.#reading = undefined
      this.#hasFailed = true
      this.onError(error)
    }
  }
}
