/** Zeek's logs as JSON. `conformance:zeek` compares all of them with their twins. */
export const zeek = {
  name: 'zeek',
  sets: [
    {
      name: 'Zeek of day 1 of the APT29 emulation',
      files: ['zeek/apt29-day1-json/combined_zeek.log.gz'],
      rows: 2140,
      facts: (events) => [
        [
          'connections to 192.168.0.4 and 192.168.0.5',
          events.filter((one) => one.p_log_type === 'Zeek.Conn' && ['192.168.0.4', '192.168.0.5'].includes(one.id_resp_h)).length,
          395,
        ],
      ],
    },
  ],
}
