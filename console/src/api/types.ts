import type { Answer, Item } from './client.ts'

export type Alert = Item<'GET /api/v1/alerts'>
export type AlertDetail = Answer<'GET /api/v1/alerts/{id}'>
export type AlertCounts = Answer<'GET /api/v1/alerts/counts'>
export type AlertStatus = Alert['status']
export type Severity = 'CRITICAL' | 'HIGH' | 'MEDIUM' | 'LOW' | 'INFO'
export type TimelineEntry = Item<'GET /api/v1/alerts/{id}/timeline'>
export type Enrichment = AlertDetail['enrichment'][number]
export type Delivery = AlertDetail['deliveries'][number]
export type Count = AlertCounts['severities'][number]
export type Me = Answer<'GET /api/v1/me'>
