/** Where a state on PostgreSQL is, and how to connect. */
export interface PostgresPlace {
  readonly type: 'postgres'
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  /** Absent: the server must not ask for one. */
  readonly password?: string | undefined
  /** Absent: without TLS. The server's certificate is always verified; `ca`: the only authorities to trust, PEM. */
  readonly tls?: { readonly ca?: string | undefined } | undefined
}

/** How messages name the database. */
export function nameOf({ host, port, database }: PostgresPlace): string {
  return `'${database}' at ${host.includes(':') ? `[${host}]` : host}:${port}`
}
