import os

DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": os.environ["PGDATABASE"]}}
INSTALLED_APPS = ["dtmodel", "blog"]
SECRET_KEY = "none"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
