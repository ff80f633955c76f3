import {
  ActivityLogIcon,
  ArchiveIcon,
  BarChartIcon,
  BellIcon,
  CodeIcon,
  DashboardIcon,
  FileTextIcon,
  GridIcon,
  InputIcon,
  LockClosedIcon,
  MagnifyingGlassIcon,
  PaperPlaneIcon,
  QuestionMarkCircledIcon,
  ReaderIcon,
  Share1Icon,
  SpeakerOffIcon,
  TableIcon,
} from '@radix-ui/react-icons'
import type { ComponentType } from 'react'

export interface Place {
  readonly to:
    | '/'
    | '/alerts'
    | '/search'
    | '/dashboards'
    | '/detections'
    | '/tables'
    | '/packs'
    | '/sources'
    | '/health'
    | '/mutes'
    | '/deliveries'
    | '/destinations'
    | '/coverage'
    | '/help'
    | '/schemas'
    | '/access'
    | '/audit'
  readonly label: string
  readonly icon: ComponentType
  /** Who may not do this does not see the page. */
  readonly needs: string
}

/** The pages, in groups. */
export const PLACES: readonly (readonly Place[])[] = [
  [
    { to: '/', label: 'Overview', icon: DashboardIcon, needs: 'alerts:read' },
    { to: '/alerts', label: 'Alerts', icon: BellIcon, needs: 'alerts:read' },
    { to: '/search', label: 'Search', icon: MagnifyingGlassIcon, needs: 'events:read' },
    { to: '/dashboards', label: 'Dashboards', icon: BarChartIcon, needs: 'content:read' },
  ],
  [
    { to: '/detections', label: 'Detections', icon: CodeIcon, needs: 'content:read' },
    { to: '/coverage', label: 'Coverage', icon: GridIcon, needs: 'content:read' },
    { to: '/tables', label: 'Tables', icon: TableIcon, needs: 'tables:read' },
    { to: '/packs', label: 'Packs', icon: ArchiveIcon, needs: 'content:read' },
    { to: '/schemas', label: 'Schemas', icon: FileTextIcon, needs: 'content:read' },
    { to: '/sources', label: 'Sources', icon: InputIcon, needs: 'sources:read' },
  ],
  [
    { to: '/destinations', label: 'Destinations', icon: Share1Icon, needs: 'deliveries:read' },
    { to: '/deliveries', label: 'Deliveries', icon: PaperPlaneIcon, needs: 'deliveries:read' },
    { to: '/mutes', label: 'Mutes', icon: SpeakerOffIcon, needs: 'alerts:read' },
    { to: '/health', label: 'Health', icon: ActivityLogIcon, needs: 'health:read' },
    { to: '/audit', label: 'Audit', icon: ReaderIcon, needs: 'events:read' },
    { to: '/access', label: 'Access', icon: LockClosedIcon, needs: 'tokens:manage' },
  ],
  [{ to: '/help', label: 'Help', icon: QuestionMarkCircledIcon, needs: 'own:read' }],
]
