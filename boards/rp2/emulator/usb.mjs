export class UsbCdc {}
export class UsbNcm {}
