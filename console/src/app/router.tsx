import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router'
import { readAlertSearch } from '../pages/alerts/alert-search.ts'
import { readCoverageSearch } from '../pages/coverage/coverage-search.ts'
import { readDashboard, readDashboards } from '../pages/dashboards/dashboards-params.ts'
import { readDeliverySearch } from '../pages/deliveries/delivery-search.ts'
import { readSearch } from '../pages/search/search-params.ts'
import { NotFound } from './not-found.tsx'
import { PageFailure } from './page-failure.tsx'
import { Shell } from './shell.tsx'

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: PageFailure })
const under = { getParentRoute: () => root }

// Each page is a file of its own that is loaded when it is first shown.
const routes = [
  createRoute({
    ...under,
    path: '/',
    component: lazyRouteComponent(() => import('../pages/overview/overview.tsx'), 'Overview'),
  }),
  createRoute({
    ...under,
    path: '/alerts',
    validateSearch: readAlertSearch,
    component: lazyRouteComponent(() => import('../pages/alerts/alerts.tsx'), 'Alerts'),
  }),
  createRoute({
    ...under,
    path: '/alerts/$alertId',
    validateSearch: readAlertSearch,
    component: lazyRouteComponent(() => import('../pages/alert/alert.tsx'), 'AlertPage'),
  }),
  createRoute({
    ...under,
    path: '/search',
    validateSearch: readSearch,
    component: lazyRouteComponent(() => import('../pages/search/search.tsx'), 'Search'),
  }),
  createRoute({
    ...under,
    path: '/dashboards',
    validateSearch: readDashboards,
    component: lazyRouteComponent(() => import('../pages/dashboards/dashboards.tsx'), 'Dashboards'),
  }),
  createRoute({
    ...under,
    path: '/dashboards/$name',
    validateSearch: readDashboard,
    component: lazyRouteComponent(() => import('../pages/dashboard/dashboard.tsx'), 'DashboardPage'),
  }),
  createRoute({
    ...under,
    path: '/detections',
    component: lazyRouteComponent(() => import('../pages/detections/detections.tsx'), 'Detections'),
  }),
  createRoute({
    ...under,
    path: '/detections/$ruleId',
    component: lazyRouteComponent(() => import('../pages/rule/rule.tsx'), 'RulePage'),
  }),
  createRoute({
    ...under,
    path: '/coverage',
    validateSearch: readCoverageSearch,
    component: lazyRouteComponent(() => import('../pages/coverage/coverage.tsx'), 'Coverage'),
  }),
  createRoute({
    ...under,
    path: '/tables',
    component: lazyRouteComponent(() => import('../pages/tables/tables.tsx'), 'Tables'),
  }),
  createRoute({
    ...under,
    path: '/tables/new',
    component: lazyRouteComponent(() => import('../pages/table/new-table.tsx'), 'NewTable'),
  }),
  createRoute({
    ...under,
    path: '/packs',
    component: lazyRouteComponent(() => import('../pages/packs/packs.tsx'), 'Packs'),
  }),
  createRoute({
    ...under,
    path: '/tables/$name',
    component: lazyRouteComponent(() => import('../pages/table/table.tsx'), 'TablePage'),
  }),
  createRoute({
    ...under,
    path: '/schemas',
    component: lazyRouteComponent(() => import('../pages/schemas/schemas.tsx'), 'Schemas'),
  }),
  createRoute({
    ...under,
    path: '/schemas/new',
    component: lazyRouteComponent(() => import('../pages/schema/new-schema.tsx'), 'NewSchema'),
  }),
  createRoute({
    ...under,
    path: '/schemas/$name',
    component: lazyRouteComponent(() => import('../pages/schema/schema.tsx'), 'SchemaPage'),
  }),
  createRoute({
    ...under,
    path: '/sources',
    component: lazyRouteComponent(() => import('../pages/sources/sources.tsx'), 'Sources'),
  }),
  createRoute({
    ...under,
    path: '/sources/new',
    component: lazyRouteComponent(() => import('../pages/new-source/new-source.tsx'), 'NewSource'),
  }),
  createRoute({
    ...under,
    path: '/sources/$sourceId',
    component: lazyRouteComponent(() => import('../pages/source/source.tsx'), 'SourcePage'),
  }),
  createRoute({
    ...under,
    path: '/destinations',
    component: lazyRouteComponent(() => import('../pages/destinations/destinations.tsx'), 'Destinations'),
  }),
  createRoute({
    ...under,
    path: '/deliveries',
    validateSearch: readDeliverySearch,
    component: lazyRouteComponent(() => import('../pages/deliveries/deliveries.tsx'), 'Deliveries'),
  }),
  createRoute({
    ...under,
    path: '/mutes',
    component: lazyRouteComponent(() => import('../pages/mutes/mutes.tsx'), 'Mutes'),
  }),
  createRoute({
    ...under,
    path: '/health',
    component: lazyRouteComponent(() => import('../pages/health/health.tsx'), 'Health'),
  }),
  createRoute({
    ...under,
    path: '/audit',
    component: lazyRouteComponent(() => import('../pages/audit/audit.tsx'), 'Audit'),
  }),
  createRoute({
    ...under,
    path: '/access',
    component: lazyRouteComponent(() => import('../pages/access/access.tsx'), 'Access'),
  }),
  createRoute({
    ...under,
    path: '/help',
    component: lazyRouteComponent(() => import('../pages/help/help.tsx'), 'Help'),
  }),
  createRoute({
    ...under,
    path: '/help/$name',
    component: lazyRouteComponent(() => import('../pages/help/help.tsx'), 'Help'),
  }),
] as const

export const router = createRouter({
  routeTree: root.addChildren([...routes]),
  basepath: new URL(document.baseURI).pathname,
  scrollRestoration: true,
  defaultPreload: 'intent',
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
