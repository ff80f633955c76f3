/** An e-mail address, without a name: nothing in it can begin another header or name a second recipient. */
export const MAIL_ADDRESS = /^(?=.{1,254}$)[A-Za-z0-9.!#$%&*+/=?^_{|}~'-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/
