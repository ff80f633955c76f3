import { audit } from './audit.mjs'
import { auth } from './auth.mjs'
import { cloudtrail } from './cloudtrail.mjs'
import { inference } from './inference.mjs'
import { kubernetes } from './kubernetes.mjs'
import { linux } from './linux.mjs'
import { osquery } from './osquery.mjs'
import { services } from './services.mjs'
import { suricata } from './suricata.mjs'
import { web } from './web.mjs'
import { windows } from './windows.mjs'
import { zeek } from './zeek.mjs'

/**
 * What `conformance-logs.mjs` checks. A new kind is one file in this folder and one name here: `{name, sets}`, where a set is
 * - `name`, and `files`: patterns below the data folder;
 * - `logType`: as in `--log-type`; `asOf`: the time of arrival, which decides the year of times without one;
 * - `input(text, file)`, if the records are embedded in another format: turns a file's text into the lines to parse;
 * - `rows`: the known number of records; `deadLettered`: the known reasons and their numbers (default: none);
 * - `facts(events, {readText, files})`: a list of `[what, found, known]`.
 *
 * A kind that is not about sets has `check(folder, report)`, which calls `report(holds, text)`.
 */
export const kinds = [audit, auth, cloudtrail, inference, kubernetes, linux, osquery, services, suricata, web, windows, zeek]
