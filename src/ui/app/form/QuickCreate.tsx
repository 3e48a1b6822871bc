// Comes with the forms.
export default function QuickCreate(props: { object: string; preset?: { [field: string]: unknown } | undefined }) { return props.object ? null : null; }
