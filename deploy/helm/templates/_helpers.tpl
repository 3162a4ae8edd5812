{{- define "tocsin.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "tocsin.fullname" -}}
{{- $name := include "tocsin.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "tocsin.selector" -}}
app.kubernetes.io/name: {{ include "tocsin.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "tocsin.labels" -}}
{{ include "tocsin.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "tocsin.image" -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}

{{- define "tocsin.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "tocsin.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* A settings file; numbers that YAML reads as floats stay whole. */}}
{{- define "tocsin.settings" -}}
{{- range $key, $value := .Values.settings }}
{{- if kindIs "float64" $value }}
{{ $key }} = {{ if eq (floor $value) $value }}{{ int64 $value }}{{ else }}{{ $value }}{{ end }}
{{- else if kindIs "map" $value }}
{{ $key }} = { {{- $entries := list }}{{ range $name, $each := $value }}{{ $entries = append $entries (printf "%q = %s" $name (toJson $each)) }}{{ end }}{{ join ", " $entries -}} }
{{- else }}
{{ $key }} = {{ toJson $value }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The port of a URL or of HOST:PORT, or the one after it in the list. */}}
{{- define "tocsin.port" -}}
{{- $found := regexFind ":[0-9]+" (regexReplaceAll "^([a-z]+://)?([^/]*).*$" (index . 0) "${2}") -}}
{{- default (index . 1) (trimPrefix ":" $found) -}}
{{- end -}}

{{/* Ports of Kafka, ClickHouse and the schema registry, a JSON list. */}}
{{- define "tocsin.storePorts" -}}
{{- $settings := .Values.settings -}}
{{- $ports := .Values.networkPolicy.egress.storePorts | default list -}}
{{- range splitList "," (default "" $settings.kafka) -}}
{{- $ports = append $ports (int (include "tocsin.port" (list (trim .) 9092))) -}}
{{- end -}}
{{- $ports = append $ports (int (default 8123 $settings.clickhouse_port)) -}}
{{- range compact (splitList "," (default "" $settings.schema_registry)) -}}
{{- $ports = append $ports (int (include "tocsin.port" (list (trim .) (ternary 443 80 (hasPrefix "https:" (trim .)))))) -}}
{{- end -}}
{{- $whole := list -}}
{{- range $ports }}{{ $whole = append $whole (int .) }}{{ end -}}
{{- uniq $whole | toJson -}}
{{- end -}}

{{/* Ports of providers and of whoever gives tokens, a JSON list. */}}
{{- define "tocsin.providerPorts" -}}
{{- $settings := .Values.settings -}}
{{- $ports := list 443 -}}
{{- with $settings.smtp_url -}}
{{- $ports = append $ports (include "tocsin.port" (list . (ternary 465 587 (hasPrefix "smtps:" .)))) -}}
{{- end -}}
{{- range $key := list "kafka_token_url" "oidc_issuer" -}}
{{- with index $settings $key -}}
{{- $ports = append $ports (include "tocsin.port" (list . 443)) -}}
{{- end -}}
{{- end -}}
{{- $ports = concat $ports (.Values.networkPolicy.egress.providerPorts | default list) -}}
{{- $whole := list -}}
{{- range $ports }}{{ $whole = append $whole (int .) }}{{ end -}}
{{- uniq $whole | toJson -}}
{{- end -}}

{{- define "tocsin.env" -}}
- name: TOCSIN_SETTINGS
  value: /etc/tocsin/settings/settings.toml
{{- range .Values.secrets.keys }}
- name: TOCSIN_{{ upper . }}_FILE
  value: /run/secrets/tocsin/{{ . }}
{{- end }}
{{- if .Values.catalogue.existingConfigMap }}
- name: TOCSIN_CATALOGUE
  value: /etc/tocsin/types
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "tocsin.mounts" -}}
- {name: settings, mountPath: /etc/tocsin/settings, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- if .Values.secrets.existingSecret }}
- {name: secrets, mountPath: /run/secrets/tocsin, readOnly: true}
{{- end }}
{{- if .Values.files.existingSecret }}
- {name: files, mountPath: /etc/tocsin/files, readOnly: true}
{{- end }}
{{- if .Values.catalogue.existingConfigMap }}
- {name: catalogue, mountPath: /etc/tocsin/types, readOnly: true}
{{- end }}
{{- if .Values.web.tlsSecret }}
- {name: tls, mountPath: /etc/tocsin/tls, readOnly: true}
{{- end }}
{{- end -}}

{{/* Called with the root and the name of the settings' ConfigMap. */}}
{{- define "tocsin.volumes" -}}
{{- $root := index . 0 -}}
- name: settings
  configMap: {name: {{ index . 1 }}}
- name: tmp
  emptyDir: {medium: Memory, sizeLimit: 64Mi}
{{- with $root.Values.secrets.existingSecret }}
- name: secrets
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- with $root.Values.files.existingSecret }}
- name: files
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- with $root.Values.catalogue.existingConfigMap }}
- name: catalogue
  configMap: {name: {{ . }}}
{{- end }}
{{- with $root.Values.web.tlsSecret }}
- name: tls
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- end -}}

{{- define "tocsin.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "tocsin.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{- define "tocsin.placement" -}}
{{- with .Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Called with the root and the component; spreads its pods over nodes where it can. */}}
{{- define "tocsin.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "tocsin.selector" (index . 0) | nindent 8 }}
        app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}
