import { geoNaturalEarth1, geoPath } from 'd3-geo'
import { useMemo } from 'react'
import { feature } from 'topojson-client'
import type { GeometryCollection, Topology } from 'topojson-specification'
import atlas from 'world-atlas/countries-110m.json'
import { number } from '../../parts/number.ts'
import { codeOf, countryName } from './countries.ts'
import classes from './map-panel.module.css'
import { countsOf, type PanelData } from './panel-data.ts'

const WIDTH = 640
const HEIGHT = 320
/** Countries beside the map. */
const MOST = 8
/** Shades of the map. */
const STEPS = 5

interface Shape {
  /** ISO 3166-1, three digits. */
  readonly id: string
  readonly path: string
}

/** Countries by their code or name, shaded by their numbers. */
export default function MapPanel({ title, data }: { readonly title: string; readonly data: PanelData }) {
  const counts = useMemo(() => byCountry(data), [data])
  const most = Math.max(...counts.values(), 1)
  const ranked = [...counts].sort(([, a], [, b]) => b - a)
  return (
    <div className={classes['panel']}>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={title} className={classes['map']}>
        {SHAPES.map(({ id, path }, i) => {
          const value = counts.get(id)
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: shapes never change, and some have no code.
            <path key={i} d={path} data-step={value === undefined ? undefined : stepOf(value, most)}>
              {value !== undefined && <title>{`${countryName(id)}: ${number(value)}`}</title>}
            </path>
          )
        })}
      </svg>
      <ol className={classes['list']}>
        {ranked.slice(0, MOST).map(([code, value]) => (
          <li key={code}>
            <span>{countryName(code)}</span>
            <b>{number(value)}</b>
          </li>
        ))}
      </ol>
    </div>
  )
}

/** By a country's three digits. What is no country is left out. */
function byCountry(data: PanelData): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { name, value } of countsOf(data)) {
    const code = codeOf(name)
    if (code !== undefined) counts.set(code, (counts.get(code) ?? 0) + value)
  }
  return counts
}

/** Few countries have most of the events: shades follow the logarithm. */
function stepOf(value: number, most: number): number {
  return value <= 0 ? 1 : Math.max(1, Math.ceil((STEPS * Math.log1p(value)) / Math.log1p(most)))
}

const SHAPES: readonly Shape[] = shapes()

function shapes(): Shape[] {
  const topology = atlas as unknown as Topology<{ countries: GeometryCollection }>
  const world = feature(topology, topology.objects.countries)
  const path = geoPath(geoNaturalEarth1().fitSize([WIDTH, HEIGHT], world))
  return world.features.map((one) => ({ id: String(one.id ?? ''), path: path(one) ?? '' }))
}
